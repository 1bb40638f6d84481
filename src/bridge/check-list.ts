import { ConfigError } from '../protocol/errors.js';

/** @throws ConfigError `CONFIG_OPTION` that names the option */
export function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ConfigError('CONFIG_OPTION', `${name}: expected a list`);
}
