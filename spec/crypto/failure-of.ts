import { UsmpError } from '../../src/protocol/errors.js';

/** What `run` throws, as `ErrorClass CODE origin`; anything but a UsmpError, or nothing at all, fails the test. */
export function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof UsmpError)) throw error;
    return `${error.name} ${error.code} ${error.origin}`;
  }
  return 'nothing thrown';
}

export const MISUSE = 'CryptoError CRYPTO_FAILURE local';
export const LOW_ORDER = 'CryptoError CRYPTO_LOW_ORDER_POINT remote';
export const USE_AFTER_WIPE = 'InvalidStateError WRONG_STATE local';
