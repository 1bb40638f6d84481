import { createCipheriv, createSecretKey, type Cipher } from 'node:crypto';
import { RANGE_WORDS, type AeadBatch } from '../../protocol/aead-batch.js';
import type { Aead } from '../../protocol/crypto-provider.js';
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import { attempt, failure, requireLength, requireRoom, wiped } from '../failures.js';
import type { GcmKernel } from './gcm-kernel.js';

/**
 * AES-256-GCM without the set-up that `createCipheriv` costs for each text: one long-lived native AES-ECB cipher encrypts the
 * counter blocks of a whole batch in one call, or those of a few texts to come where they come one by one with nonces that count
 * up; `GcmKernel` does the rest. Gives the same bytes as node:crypto. A text with its nonce, additional data and tag has at most
 * 96 KiB, in a batch from the first to the last of their bytes.
 */
export class BatchedGcm implements Aead {
  readonly #kernel: GcmKernel;
  readonly #id: number;
  #slot = 0;
  /** Until the first use, which makes the cipher of it; neither is there after a wipe. */
  #key: Uint8Array | undefined;
  #ecb: Cipher | undefined;

  /** @throws CryptoError `CRYPTO_FAILURE` for a key that is not 32 bytes long. */
  constructor(kernel: GcmKernel, key: Uint8Array) {
    requireLength('AEAD key', key, KEY_BYTES);
    this.#kernel = kernel;
    this.#id = kernel.slots.newKey();
    this.#key = Uint8Array.from(key);
  }

  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const ecb = this.#usableCipher(nonce);
    requireRoom(out, at, plaintext.length + TAG_BYTES);
    requireBytes(nonce, additionalData, plaintext);
    this.#kernel.loadOne(nonce, additionalData, plaintext, plaintext.length);
    this.#kernel.sealOne(this.#prepare(ecb), out, at);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const ecb = this.#usableCipher(nonce);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    requireBytes(nonce, additionalData, sealed);
    this.#kernel.loadOne(nonce, additionalData, sealed, length);
    const opened: (Uint8Array | undefined)[] = [];
    this.#kernel.open(this.#prepare(ecb), opened);
    return opened[0];
  }

  sealBatch(bytes: Uint8Array, batch: AeadBatch): void {
    const ecb = this.#usableCipher();
    const { ranges } = batch;
    for (let next = 0; next < ranges.length; ) {
      next += RANGE_WORDS * this.#kernel.load(bytes, ranges, next);
      this.#kernel.seal(this.#prepare(ecb), bytes);
    }
  }

  openBatch(bytes: Uint8Array, batch: AeadBatch): (Uint8Array | undefined)[] {
    const ecb = this.#usableCipher();
    const { ranges } = batch;
    const opened: (Uint8Array | undefined)[] = [];
    for (let next = 0; next < ranges.length; ) {
      next += RANGE_WORDS * this.#kernel.load(bytes, ranges, next);
      this.#kernel.open(this.#prepare(ecb), opened);
    }
    return opened;
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
    // Its end frees the native key schedule, which OpenSSL overwrites first.
    this.#ecb?.final();
    this.#ecb = undefined;
    this.#kernel.slots.release(this.#id);
  }

  /** Gives the kernel the key stream for what is loaded; the slot for the tables of this key comes out. */
  #prepare(ecb: Cipher): number {
    const kernel = this.#kernel;
    this.#slot = kernel.slots.take(this.#id, this.#slot);
    const counters = kernel.counters(this.#slot);
    if (counters) attempt('AES', () => kernel.setKeyStream(ecb.update(counters)));
    return this.#slot;
  }

  #usableCipher(nonce?: Uint8Array): Cipher {
    if (this.#key) {
      const key = createSecretKey(this.#key);
      this.#ecb = attempt('AES', () => createCipheriv('aes-256-ecb', key, null).setAutoPadding(false));
      this.#key.fill(0);
      this.#key = undefined;
    }
    if (!this.#ecb) throw wiped();
    if (nonce) requireLength('nonce', nonce, NONCE_BYTES);
    return this.#ecb;
  }
}

/** What is no array of bytes would count as zeros where it is copied. */
function requireBytes(nonce: Uint8Array, additionalData: Uint8Array, text: Uint8Array): void {
  if (!(ArrayBuffer.isView(nonce) && ArrayBuffer.isView(additionalData) && ArrayBuffer.isView(text))) {
    throw failure('an argument is not a Uint8Array');
  }
}
