import { toHex, utf8 } from './bytes.js';
import type { CryptoProvider } from './crypto-provider.js';
import { ConfigError } from './errors.js';
import { Secret } from './secret.js';
import { KEY_BYTES, MIN_PSK_BYTES } from './sizes.js';

/** What users may give as a PSK: bytes, or text, which means its UTF-8 bytes. */
export type PskInput = Uint8Array | string;

/**
 * Checks a PSK and hides it, protocol.md section 3.
 * @throws ConfigError `CONFIG_PSK` where it is no bytes or text, or shorter than 16 bytes.
 */
export function parsePsk(input: unknown, whose = 'psk'): Secret {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    throw new ConfigError(
      'CONFIG_PSK',
      `${whose}: expected a Uint8Array or a string, got ${input === null ? 'null' : typeof input}`,
    );
  }
  const bytes = typeof input === 'string' ? utf8(input) : input;
  if (bytes.length < MIN_PSK_BYTES) {
    throw new ConfigError(
      'CONFIG_PSK',
      `${whose}: got ${bytes.length} bytes, at least ${MIN_PSK_BYTES} are needed; generatePsk() makes a good one`,
    );
  }
  return new Secret(bytes);
}

/** A good PSK: 64 hexadecimal digits of 32 random bytes. As a text it suits firmware that takes a C string. */
export const generatePsk = (crypto: CryptoProvider): string => toHex(crypto.randomBytes(KEY_BYTES));

/** Fewer different bytes than this is a repeated pattern or a word, and can be guessed from one recorded handshake. */
const FEWEST_DIFFERENT_BYTES = 10;

/** Whether a PSK looks as if it could be guessed offline (protocol.md section 9); a good one hardly ever does. */
export function isLowEntropyPsk(psk: Secret): boolean {
  return new Set(psk.expose()).size < FEWEST_DIFFERENT_BYTES;
}
