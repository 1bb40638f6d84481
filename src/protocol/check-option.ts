import { ConfigError } from './errors.js';

/** The longest delay that timers of JavaScript can hold, in milliseconds. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * A whole number within bounds.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function checkInteger(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected a whole number from ${min} to ${max}, got ${show(value)}`);
}

/**
 * A time in milliseconds, 0 or more.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function checkDurationMs(name: string, value: unknown, min = 0): number {
  if (typeof value === 'number' && value >= min && value <= MAX_DELAY_MS) return value;
  throw new ConfigError(
    'CONFIG_OPTION',
    `${name}: expected milliseconds from ${min} to ${MAX_DELAY_MS}, got ${show(value)}`,
  );
}

/**
 * One of a few words.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function checkChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected ${choices.join(' or ')}, got ${show(value)}`);
}

/**
 * An object that holds options.
 * @throws ConfigError `CONFIG_OPTION`
 */
export function checkOptions<T>(name: string, value: T): T & object {
  if (typeof value === 'object' && value !== null) return value;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected an object with options, got ${show(value)}`);
}

/**
 * A text that is not empty.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function checkText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected a text that is not empty, got ${show(value)}`);
}

/**
 * A function.
 * @throws ConfigError `CONFIG_OPTION` that names it
 */
export function checkFunction<T>(name: string, value: T): T {
  if (typeof value === 'function') return value;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected a function, got ${show(value)}`);
}

/** A value that may be anything, without what an object holds. */
function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? JSON.stringify(value) : typeof value;
}
