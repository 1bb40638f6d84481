import type { OpenedFrame } from './reassembly.js';

/** AES-256-GCM is the default; the suite is not negotiated on the wire (protocol.md section 4). */
export type CipherSuite = 'aes-256-gcm' | 'chacha20-poly1305';

/** An AEAD key that was prepared once and seals or opens many frames. */
export interface Aead {
  /**
   * Seals `plaintext` and writes ciphertext || tag(16) into `out` from index `at` on,
   * `plaintext.length + 16` bytes. `nonce` is 12 bytes. `plaintext` and `out` do not overlap.
   */
  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void;
  /**
   * Opens `sealed` = ciphertext || tag(16). Returns a fresh plaintext of `sealed.length - 16` bytes,
   * or undefined where the tag is wrong; nothing of the plaintext leaves before the tag is verified.
   */
  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /**
   * Seals whole frames that follow each other in `bytes[from .. to)`, in place: each has its header without CRC, its nonce and its
   * plaintext where the ciphertext goes, and gets ciphertext, tag and CRC. Only where that is cheaper than `seal` for one after the other.
   */
  sealFrames?(bytes: Uint8Array, from: number, to: number): void;
  /**
   * Opens whole data frames that follow each other from `bytes[from]` on, as many as it likes, up to the first that is not right in
   * every respect: header, CRC, nonce of this session, sequence numbers that count up from `seq`, tag. What is wrong with that one
   * it does not say. `bytes` stays as it is; the plaintexts are fresh. Only where that is cheaper than `open` for one after the other.
   */
  openFrames?(bytes: Uint8Array, from: number, seq: number, sessionId: Uint8Array): readonly OpenedFrame[];
  /** Overwrites or drops the key as far as the runtime allows; the object must not be used after. */
  wipe(): void;
}

/** An X25519 key pair whose private half never leaves the provider. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * X25519(own private key, peer's public key), 32 bytes.
   * @throws CryptoError `CRYPTO_LOW_ORDER_POINT` where the result is all zero.
   */
  agree(peerPublicKey: Uint8Array): Uint8Array;
}

/**
 * All cryptography and all randomness that the protocol needs; synchronous, so that frames are never reordered.
 * Arguments are never kept after a call returns, unless said so, and never modified.
 */
export interface CryptoProvider {
  readonly name: string;
  randomBytes(length: number): Uint8Array;
  /** A fresh X25519 key pair. */
  generateKeyPair(): KeyPair;
  /** The key pair of a known 32-byte private key: for recorded transcripts and reproducible tests. */
  keyPairFrom(privateKey: Uint8Array): KeyPair;
  /** HMAC-SHA256, 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF-SHA256 (extract and expand), `length` bytes. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Prepares a 32-byte key; the bytes are copied. */
  aead(suite: CipherSuite, key: Uint8Array): Aead;
  /** Constant-time comparison; false at once only where the lengths differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}
