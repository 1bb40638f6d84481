import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Aead, CipherSuite, CryptoProvider, KeyPair } from '../protocol/crypto-provider.js';
import { KEY_BYTES, NONCE_BYTES, PUBLIC_KEY_BYTES, TAG_BYTES } from '../protocol/sizes.js';
import { attempt, failure, lowOrderPoint, requireHkdfLength, requireLength, requireRoom, wiped } from './failures.js';

/** The most bytes that one call of `getRandomValues` gives. */
const RANDOM_CHUNK_BYTES = 65_536;

const ciphers = { 'aes-256-gcm': gcm, 'chacha20-poly1305': chacha20poly1305 } as const;

/**
 * With arguments of the right lengths noble has one plain `Error` left for each operation: the wrong tag, or the low-order
 * point. Everything else that it throws is a TypeError or a RangeError.
 */
const isMisuse = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;

class NobleAead implements Aead {
  readonly #suite: CipherSuite;
  #key: Uint8Array | undefined;

  constructor(suite: CipherSuite, key: Uint8Array) {
    requireLength('AEAD key', key, KEY_BYTES);
    this.#suite = suite;
    this.#key = Uint8Array.from(key);
  }

  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const cipher = this.#cipher(nonce, additionalData);
    requireRoom(out, at, plaintext.length + TAG_BYTES);
    attempt('sealing', () => out.set(cipher.encrypt(plaintext), at));
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const cipher = this.#cipher(nonce, additionalData);
    if (sealed.length < TAG_BYTES) return undefined;
    try {
      return cipher.decrypt(sealed);
    } catch (cause) {
      if (isMisuse(cause)) throw failure('opening failed', cause);
      return undefined;
    }
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  #cipher(nonce: Uint8Array, additionalData: Uint8Array) {
    const key = this.#key;
    if (!key) throw wiped();
    requireLength('nonce', nonce, NONCE_BYTES);
    return attempt(this.#suite, () => ciphers[this.#suite](key, nonce, additionalData));
  }
}

class NobleKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #privateKey: Uint8Array;

  /** Keeps `privateKey`. */
  constructor(privateKey: Uint8Array) {
    this.#privateKey = privateKey;
    this.publicKey = x25519.getPublicKey(privateKey);
  }

  agree(peerPublicKey: Uint8Array): Uint8Array {
    requireLength('public key', peerPublicKey, PUBLIC_KEY_BYTES);
    try {
      return x25519.getSharedSecret(this.#privateKey, peerPublicKey);
    } catch (cause) {
      throw isMisuse(cause) ? failure('X25519 failed', cause) : lowOrderPoint();
    }
  }
}

function randomBytes(length: number): Uint8Array {
  return attempt('drawing random bytes', () => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += RANDOM_CHUNK_BYTES) {
      globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CHUNK_BYTES));
    }
    return bytes;
  });
}

/** Adds up the differences of all bytes before it looks at the sum, so the time tells nothing of where they are. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** The provider for every runtime: pure JavaScript, random bytes from the Web Crypto API's `getRandomValues`. */
export const nobleCrypto: CryptoProvider = {
  name: 'noble',
  randomBytes,
  generateKeyPair: () => new NobleKeyPair(randomBytes(KEY_BYTES)),
  keyPairFrom(privateKey) {
    requireLength('private key', privateKey, KEY_BYTES);
    return new NobleKeyPair(Uint8Array.from(privateKey));
  },
  hmacSha256: (key, data) => attempt('HMAC-SHA256', () => hmac(sha256, key, data)),
  hkdfSha256(ikm, salt, info, length) {
    requireHkdfLength(length);
    return attempt('HKDF-SHA256', () => hkdf(sha256, ikm, salt, info, length));
  },
  aead: (suite, key) => new NobleAead(suite, key),
  equal,
};
