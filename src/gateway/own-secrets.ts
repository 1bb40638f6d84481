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

/** What a file holds. */
interface SecretKind {
  readonly name: string;
  readonly code: 'CONFIG_PSK' | 'CONFIG_OPTION';
  readonly wayOut: string;
  /** @throws ConfigError for one that can't do */
  readonly check: (secret: string, path: string) => void;
}

const PSK: SecretKind = {
  name: 'the PSK',
  code: 'CONFIG_PSK',
  wayOut: 'give another file with --psk-file',
  check: (secret, path) => {
    parsePsk(secret, path);
    if (secret.startsWith('{')) throw notOneLine(PSK, path);
  },
};

const DASHBOARD_TOKEN: SecretKind = {
  name: "the dashboard's token",
  code: 'CONFIG_OPTION',
  wayOut: 'remove it, and a new one is made',
  check: ({ length }, path) => {
    if (length < 16 || length > 1_000) {
      throw unusable(DASHBOARD_TOKEN, path, `expected 16 to 1000 characters, got ${length}`);
    }
  },
};

/**
 * The gateway's own PSK from a file that only its owner can read (mode 0600); makes one where there is none.
 * @throws ConfigError `CONFIG_PSK` where the file can't be used; it is never overwritten
 */
export function readOrMakePsk(path: string): OwnPsk {
  const { secret, isNew } = readOrMake(PSK, path);
  return { psk: secret, isNew };
}

/**
 * The token that opens the dashboard, from a file of the same kind.
 * @throws ConfigError `CONFIG_OPTION` where the file can't be used; it is never overwritten
 */
export const readOrMakeToken = (path: string): string => readOrMake(DASHBOARD_TOKEN, path).secret;

function readOrMake(kind: SecretKind, path: string): { readonly secret: string; readonly isNew: boolean } {
  try {
    return { secret: read(kind, path), isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw asConfigError(kind, path, error);
  }
  const secret = generatePsk(nodeCrypto);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw asConfigError(kind, path, error);
  }
  return { secret, isNew: true };
}

function read(kind: SecretKind, path: string): string {
  const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  kind.check(secret, path);
  if (/\p{Cc}/u.test(secret)) throw notOneLine(kind, path);
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return secret;
}

const notOneLine = (kind: SecretKind, path: string): ConfigError =>
  unusable(kind, path, 'expected one line of text and nothing else');

const asConfigError = (kind: SecretKind, path: string, error: unknown): ConfigError =>
  error instanceof ConfigError ? error : unusable(kind, path, (error as Error).message, error);

const unusable = ({ name, code, wayOut }: SecretKind, path: string, why: string, cause?: unknown): ConfigError =>
  new ConfigError(code, `${path}, the file of ${name}: ${why}; ${wayOut}`, { cause });
