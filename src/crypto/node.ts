import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import type { Aead, CipherSuite, CryptoProvider, KeyPair } from '../protocol/crypto-provider.js';
import { KEY_BYTES, NONCE_BYTES, PUBLIC_KEY_BYTES, TAG_BYTES } from '../protocol/sizes.js';
import { attempt, failure, lowOrderPoint, requireHkdfLength, requireLength, requireRoom, wiped } from './failures.js';
import { hkdfSha256, hmacSha256 } from './node-hmac.js';
import { randomBytes } from './node-random.js';

const AEAD_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** Everything of a PKCS #8 X25519 key that comes before its 32 bytes, RFC 8410 section 7. */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

/** RFC 7748 section 4.1: u = 9. */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(PUBLIC_KEY_BYTES - 1));

/** A Buffer's bytes without its own `slice`, `toString` and `inspect`; no copy. */
const plainView = ({ buffer, byteOffset, length }: Buffer): Uint8Array => new Uint8Array(buffer, byteOffset, length);

class NodeAead implements Aead {
  /** The typings of node:crypto take one suite at a time; both have the same methods. */
  readonly #suite: 'aes-256-gcm';
  /** Bytes until the first use, since a key object is five times as large and many sessions are idle. */
  #key: Uint8Array | KeyObject | undefined;

  constructor(suite: CipherSuite, key: Uint8Array) {
    requireLength('AEAD key', key, KEY_BYTES);
    this.#suite = suite as 'aes-256-gcm';
    this.#key = Uint8Array.from(key);
  }

  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const key = this.#usableKey(nonce);
    requireRoom(out, at, plaintext.length + TAG_BYTES);
    attempt('sealing', () => {
      const cipher = createCipheriv(this.#suite, key, nonce, AEAD_OPTIONS);
      cipher.setAAD(additionalData);
      out.set(cipher.update(plaintext), at);
      cipher.final();
      out.set(cipher.getAuthTag(), at + plaintext.length);
    });
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const key = this.#usableKey(nonce);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    return attempt('opening', () => {
      const decipher = createDecipheriv(this.#suite, key, nonce, AEAD_OPTIONS);
      decipher.setAAD(additionalData);
      decipher.setAuthTag(sealed.subarray(length));
      const plaintext = decipher.update(sealed.subarray(0, length));
      try {
        decipher.final();
      } catch {
        plaintext.fill(0);
        return undefined;
      }
      return plainView(plaintext);
    });
  }

  wipe(): void {
    if (this.#key instanceof Uint8Array) this.#key.fill(0);
    this.#key = undefined;
  }

  #usableKey(nonce: Uint8Array): KeyObject {
    if (!this.#key) throw wiped();
    requireLength('nonce', nonce, NONCE_BYTES);
    if (this.#key instanceof Uint8Array) {
      const key = createSecretKey(this.#key);
      this.#key.fill(0);
      this.#key = key;
    }
    return this.#key;
  }
}

class NodeKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor(privateKey: KeyObject, publicKey: Uint8Array) {
    this.#privateKey = privateKey;
    this.publicKey = publicKey;
  }

  agree(peerPublicKey: Uint8Array): Uint8Array {
    requireLength('public key', peerPublicKey, PUBLIC_KEY_BYTES);
    return x25519(this.#privateKey, peerPublicKey);
  }
}

function x25519(privateKey: KeyObject, publicKey: Uint8Array): Uint8Array {
  try {
    return plainView(diffieHellman({ privateKey, publicKey: importPublicKey(publicKey) }));
  } catch (cause) {
    // OpenSSL has this one reason for it: the result is all zero.
    const isLowOrder = (cause as NodeJS.ErrnoException).code === 'ERR_OSSL_FAILED_DURING_DERIVATION';
    throw isLowOrder ? lowOrderPoint() : failure('X25519 failed', cause);
  }
}

/** By JWK, which costs a tenth of DER. */
function importPublicKey({ buffer, byteOffset, length }: Uint8Array): KeyObject {
  const x = Buffer.from(buffer, byteOffset, length).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x } });
}

/** By DER: a private JWK names the public key too, which is not known here, and Node 26 refuses a wrong one. */
function importPrivateKey(bytes: Uint8Array): KeyObject {
  const key = Buffer.alloc(PKCS8_PREFIX.length + bytes.length);
  key.set(PKCS8_PREFIX);
  key.set(bytes, PKCS8_PREFIX.length);
  try {
    return createPrivateKey({ format: 'der', type: 'pkcs8', key });
  } finally {
    key.fill(0);
  }
}

/** The public key is encoded at generation: in Node 20 a later `export` can wait for ever for its own lock. */
function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519', { publicKeyEncoding: { format: 'jwk' } });
  // The typings do not know this encoding.
  const { x } = publicKey as unknown as { x: string };
  return new NodeKeyPair(privateKey, Uint8Array.from(Buffer.from(x, 'base64url')));
}

/** The provider for Node, on OpenSSL. */
export const nodeCrypto: CryptoProvider = {
  name: 'node',
  randomBytes: (length) => attempt('drawing random bytes', () => randomBytes(length)),
  generateKeyPair: () => attempt('X25519 key generation', generateKeyPair),
  keyPairFrom(privateKey) {
    requireLength('private key', privateKey, KEY_BYTES);
    const key = attempt('X25519 key import', () => importPrivateKey(privateKey));
    return new NodeKeyPair(key, x25519(key, BASE_POINT));
  },
  hmacSha256: (key, data) => attempt('HMAC-SHA256', () => hmacSha256(key, data)),
  hkdfSha256(ikm, salt, info, length) {
    requireHkdfLength(length);
    return attempt('HKDF-SHA256', () => hkdfSha256(ikm, salt, info, length));
  },
  aead: (suite, key) => new NodeAead(suite, key),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
