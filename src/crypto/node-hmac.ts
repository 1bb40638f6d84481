import { hash } from 'node:crypto';

/** Of SHA-256, in bytes. */
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;

const sha256 = (data: Uint8Array): Buffer => hash('sha256', data, 'buffer');

/** The key in a block of its own, XORed with a byte, and room for what is hashed behind it. */
function keyed(key: Uint8Array, pad: number, dataBytes: number): Uint8Array {
  const input = new Uint8Array(BLOCK_BYTES + dataBytes);
  input.set(key);
  for (let at = 0; at < BLOCK_BYTES; at++) input[at]! ^= pad;
  return input;
}

/** `sha256(key || data)`, which overwrites both. */
function hashed(input: Uint8Array, data: Uint8Array): Buffer {
  input.set(data, BLOCK_BYTES);
  const digest = sha256(input);
  input.fill(0);
  return digest;
}

/**
 * HMAC-SHA256 (RFC 2104) out of two hashes in one call each: `createHmac` also makes a key object and a stream, which the garbage
 * collector only gets rid of in its long runs.
 */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = hashed(keyed(block, 0x36, data.length), data);
  const outer = hashed(keyed(block, 0x5c, HASH_BYTES), inner);
  inner.fill(0);
  if (block !== key) block.fill(0);
  return new Uint8Array(outer.buffer, outer.byteOffset, outer.length);
}

/** HKDF-SHA256 (RFC 5869), 1 to 255 · 32 bytes. */
export function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const prk = hmacSha256(salt, ikm);
  const out = new Uint8Array(length);
  const input = new Uint8Array(HASH_BYTES + info.length + 1);
  input.set(info, HASH_BYTES);
  for (let at = 0; at < length; at += HASH_BYTES) {
    input[input.length - 1]!++;
    // The first block has none before it.
    const block = hmacSha256(prk, at === 0 ? input.subarray(HASH_BYTES) : input);
    out.set(block.subarray(0, length - at), at);
    input.set(block);
    block.fill(0);
  }
  prk.fill(0);
  input.fill(0);
  return out;
}
