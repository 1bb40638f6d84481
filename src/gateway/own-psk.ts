import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../protocol/errors.js';
import { generatePsk, parsePsk } from '../protocol/psk.js';
import { nodeCrypto } from '../crypto/node.js';

export interface OwnPsk {
  readonly psk: string;
  /** Whether it was made just now. */
  readonly isNew: boolean;
}

/**
 * The gateway's own PSK from a file that only its owner can read (mode 0600); makes one where there is none.
 * @throws ConfigError `CONFIG_PSK` where the file can't be used; it is never overwritten
 */
export function readOrMakePsk(path: string): OwnPsk {
  try {
    return { psk: readPsk(path), isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error);
  }
  const psk = generatePsk(nodeCrypto);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${psk}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw unusable(path, error);
  }
  return { psk, isNew: true };
}

function readPsk(path: string): string {
  const psk = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  parsePsk(psk, path);
  if (/\p{Cc}/u.test(psk) || psk.startsWith('{')) {
    throw new ConfigError(
      'CONFIG_PSK',
      `${path}: expected one line of text and nothing else; give another file with --psk-file`,
    );
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return psk;
}

const unusable = (path: string, cause: unknown): ConfigError =>
  cause instanceof ConfigError
    ? cause
    : new ConfigError('CONFIG_PSK', `${path}: ${(cause as Error).message}; give another file with --psk-file`, {
        cause,
      });
