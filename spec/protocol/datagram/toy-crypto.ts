import { concatBytes, TAG_BYTES, type CryptoProvider } from '../../../src/protocol/index.js';
import { anyCrypto } from '../providers.js';

// Jest looks globals up slowly.
const { imul } = Math;

/** `length` bytes that follow from `parts`, by FNV-1a and xorshift32. */
function digest(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let state = 0x811c_9dc5;
  for (const byte of concatBytes(...parts)) state = imul(state ^ byte, 0x0100_0193);
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[at] = state >>> 24;
  }
  return out;
}

/**
 * No cryptography at all, but fast: a wrong key, and bytes that were changed, show as they do with a real provider. For models
 * that visit many thousands of states.
 */
export const toyCrypto: CryptoProvider = {
  ...anyCrypto,
  name: 'toy',
  hmacSha256: (key, data) => digest(32, key, data),
  hkdfSha256: (ikm, salt, info, length) => digest(length, ikm, salt, info),
  equal: (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]),
  aead: (_suite, key) => {
    const tagOf = (nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array =>
      digest(TAG_BYTES, key, nonce, additionalData, plaintext);
    return {
      seal: (nonce, additionalData, plaintext, out, at) => {
        out.set(plaintext, at);
        out.set(tagOf(nonce, additionalData, plaintext), at + plaintext.length);
      },
      open: (nonce, additionalData, sealed) => {
        const plaintext = sealed.slice(0, -TAG_BYTES);
        const isAuthentic = toyCrypto.equal(tagOf(nonce, additionalData, plaintext), sealed.subarray(-TAG_BYTES));
        return isAuthentic ? plaintext : undefined;
      },
      wipe: () => {},
    };
  },
};
