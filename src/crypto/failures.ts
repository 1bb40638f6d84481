import { CryptoError, InvalidStateError } from '../protocol/errors.js';

/** RFC 5869 section 2.3: 255 blocks of SHA-256. */
const MAX_HKDF_BYTES = 255 * 32;

/** A mistake of this program or a runtime that lacks an algorithm; never anything that a peer can cause. */
export const failure = (message: string, cause?: unknown): CryptoError =>
  new CryptoError('CRYPTO_FAILURE', message, { origin: 'local', cause });

export const lowOrderPoint = (): CryptoError =>
  new CryptoError('CRYPTO_LOW_ORDER_POINT', 'the public key of the peer is a low-order point');

export const wiped = (): InvalidStateError => new InvalidStateError('WRONG_STATE', 'the AEAD key was wiped');

/** What a library throws comes out as `CRYPTO_FAILURE`; `what` names the operation. */
export function attempt<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw failure(`${what} failed`, cause);
  }
}

export function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw failure(`${what} has ${bytes.length} bytes, it must have ${length}`);
}

/** `length` bytes must fit into `out` from index `at` on. */
export function requireRoom(out: Uint8Array, at: number, length: number): void {
  if (!(at >= 0 && at + length <= out.length)) {
    throw failure(`${length} bytes at index ${at} do not fit into ${out.length} bytes`);
  }
}

export function requireHkdfLength(length: number): void {
  if (!(Number.isInteger(length) && length >= 1 && length <= MAX_HKDF_BYTES)) {
    throw failure(`HKDF-SHA256 gives 1 to ${MAX_HKDF_BYTES} bytes, not ${length}`);
  }
}
