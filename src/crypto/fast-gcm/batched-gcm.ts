import { createCipheriv, createSecretKey, type Cipher } from 'node:crypto';
import { readUint32 } from '../../protocol/bytes.js';
import type { Aead } from '../../protocol/crypto-provider.js';
import type { OpenedFrame } from '../../protocol/reassembly.js';
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import { attempt, failure, requireLength, requireRoom, wiped } from '../failures.js';
import type { GcmKernel } from './gcm-kernel.js';

/** So many bytes of frames are opened together at most: what is opened and not consumed waits in memory. */
const OPENED_TOGETHER_BYTES = 32 * 1024;

/**
 * AES-256-GCM without the set-up that `createCipheriv` costs for each text: one long-lived native AES-ECB cipher encrypts the
 * counter blocks of a whole burst in one call, or those of a few texts to come where they come one by one with nonces that count
 * up; `GcmKernel` does the rest. Gives the same bytes as node:crypto. A text with its nonce, additional data and tag has at most
 * 96 KiB.
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
    const [kernel, slot] = [this.#kernel, this.#takeSlot()];
    this.#setKeyStream(ecb, kernel.loadText(slot, nonce, additionalData, plaintext, plaintext.length));
    kernel.sealText(slot, additionalData.length, plaintext.length, out, at);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const ecb = this.#usableCipher(nonce);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    requireBytes(nonce, additionalData, sealed);
    const [kernel, slot] = [this.#kernel, this.#takeSlot()];
    this.#setKeyStream(ecb, kernel.loadText(slot, nonce, additionalData, sealed, length));
    return kernel.openText(slot, additionalData.length, length);
  }

  sealFrames(bytes: Uint8Array, from: number, to: number): void {
    const ecb = this.#usableCipher();
    requireRoom(bytes, from, to - from);
    const [kernel, slot] = [this.#kernel, this.#takeSlot()];
    for (let at = from; at < to; at += kernel.foundBytes) {
      this.#setKeyStream(ecb, kernel.loadStaged(slot, bytes, at, to));
      if (kernel.foundBytes === 0) throw failure(`no whole frame was staged at index ${at}`);
      kernel.sealFrames(slot, bytes, at);
    }
  }

  openFrames(bytes: Uint8Array, from: number, seq: number, sessionId: Uint8Array): OpenedFrame[] {
    const ecb = this.#usableCipher();
    const [kernel, slot] = [this.#kernel, this.#takeSlot()];
    const to = Math.min(bytes.length, from + OPENED_TOGETHER_BYTES);
    const [id0, id1] = [readUint32(sessionId, 0), readUint32(sessionId, 4)];
    this.#setKeyStream(ecb, kernel.loadReceived(slot, bytes, from, to, seq, id0, id1));
    return kernel.foundBytes === 0 ? [] : kernel.openFrames(slot);
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
    // Its end frees the native key schedule, which OpenSSL overwrites first.
    this.#ecb?.final();
    this.#ecb = undefined;
    this.#kernel.slots.release(this.#id);
  }

  /** The place of the kernel for the tables of this key. */
  #takeSlot(): number {
    this.#slot = this.#kernel.slots.take(this.#id, this.#slot);
    return this.#slot;
  }

  #setKeyStream(ecb: Cipher, blocks: Uint8Array | undefined): void {
    if (!blocks) return;
    try {
      this.#kernel.setKeyStream(ecb.update(blocks));
    } catch (cause) {
      this.#kernel.forgetLoaded();
      throw failure('AES failed', cause);
    }
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
  if (![nonce, additionalData, text].every((bytes) => bytes instanceof Uint8Array)) {
    throw failure('an argument is not a Uint8Array');
  }
}
