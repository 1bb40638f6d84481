import type { CryptoError } from '../../protocol/errors.js';
import type { OpenedFrame } from '../../protocol/reassembly.js';
import type { SealedType } from '../../protocol/packet-type.js';
import { NONCE_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import { failure } from '../failures.js';
import { kernel } from './kernel.js';
import { Slots } from './slots.js';

const BLOCK_BYTES = 16;

/** What kernel/kernel.as exports; addresses are indices of `memory`. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly slotCount: WebAssembly.Global<'i32'>;
  readonly byteLimit: WebAssembly.Global<'i32'>;
  readonly blocksAt: WebAssembly.Global<'i32'>;
  readonly bytesAt: WebAssembly.Global<'i32'>;
  readonly openedAt: WebAssembly.Global<'i32'>;
  readonly foundAt: WebAssembly.Global<'i32'>;
  readonly recordsAt: WebAssembly.Global<'i32'>;
  stage(slot: number, bytes: number): number;
  check(slot: number, bytes: number, seq: number, id0: number, id1: number): number;
  text(slot: number, bytes: number): number;
  sealFrames(slot: number): void;
  openFrames(slot: number): number;
  sealText(slot: number, additionalDataBytes: number, bytes: number): void;
  openText(slot: number, additionalDataBytes: number, bytes: number): number;
  clear(slot: number): void;
}

/**
 * The WebAssembly half of AES-256-GCM, which all keys of a program share: the frames or the text that are worked on, and for the keys
 * used last their tables and key stream of texts that are still to come. Nothing else that is secret stays here between two uses. Use:
 * load something, encrypt the blocks that come back, if any, and give the result to `setKeyStream`, then seal or open.
 */
export class GcmKernel {
  readonly slots: Slots;
  readonly #exports: Exports;
  readonly #memory: Uint8Array;
  readonly #found: Uint32Array;
  readonly #records: Uint32Array;
  readonly #byteLimit: number;
  readonly #blocksAt: number;
  readonly #bytesAt: number;
  readonly #openedAt: number;

  /** @throws WebAssembly.CompileError where the runtime has no vectors of 128 bits; RangeError where memory is short. */
  constructor(binary: Uint8Array<ArrayBuffer> = Buffer.from(kernel, 'base64')) {
    const module = new WebAssembly.Module(binary);
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    const { memory, slotCount, byteLimit, blocksAt, bytesAt, openedAt, foundAt, recordsAt } = this.#exports;
    this.#memory = new Uint8Array(memory.buffer);
    this.#found = new Uint32Array(memory.buffer, foundAt.value, 1);
    this.#records = new Uint32Array(memory.buffer, recordsAt.value);
    this.#byteLimit = byteLimit.value;
    this.#blocksAt = blocksAt.value;
    this.#bytesAt = bytesAt.value;
    this.#openedAt = openedAt.value;
    this.slots = new Slots(slotCount.value, (slot) => this.#exports.clear(slot));
  }

  /**
   * Takes in frames to be sealed, as many of `bytes[from .. to)` as are whole and as there is room for: `foundBytes` tells. Returns the
   * blocks that AES makes their key stream of: a view, until the next call; undefined where that was made ahead.
   */
  loadStaged(slot: number, bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
    return this.#blocks(this.#exports.stage(slot, this.#load(bytes, from, to)));
  }

  /** The same for frames that were received, as many as have everything right that can be seen without a key. */
  loadReceived(
    slot: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    seq: number,
    id0: number,
    id1: number,
  ): Uint8Array | undefined {
    return this.#blocks(this.#exports.check(slot, this.#load(bytes, from, to), seq, id0, id1));
  }

  /** The length of the frames that were loaded. */
  get foundBytes(): number {
    return this.#found[0]!;
  }

  /**
   * The same for one text, which ends with the tag where it is to be opened.
   * @throws CryptoError `CRYPTO_FAILURE` where it is too long.
   */
  loadText(
    slot: number,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    text: Uint8Array,
    textBytes: number,
  ): Uint8Array | undefined {
    const textAt = NONCE_BYTES + additionalData.length;
    if (textAt + textBytes + TAG_BYTES > this.#byteLimit) throw tooLong();
    this.#memory.set(nonce, this.#bytesAt);
    this.#memory.set(additionalData, this.#bytesAt + NONCE_BYTES);
    this.#memory.set(text, this.#bytesAt + textAt);
    return this.#blocks(this.#exports.text(slot, textBytes));
  }

  /** Overwrites what is loaded, which will not be sealed or opened. */
  forgetLoaded(): void {
    this.#memory.fill(0, this.#bytesAt, this.#bytesAt + this.#byteLimit);
  }

  #load(bytes: Uint8Array, from: number, to: number): number {
    const part = bytes.subarray(from, Math.min(to, from + this.#byteLimit));
    this.#memory.set(part, this.#bytesAt);
    return part.length;
  }

  #blocks(count: number): Uint8Array | undefined {
    return count === 0 ? undefined : this.#memory.subarray(this.#blocksAt, this.#blocksAt + count * BLOCK_BYTES);
  }

  /** Takes the key stream over: overwrites `keyStream`. */
  setKeyStream(keyStream: Uint8Array): void {
    this.#memory.set(keyStream, this.#blocksAt);
    keyStream.fill(0);
  }

  /** Seals the frames that are loaded, and writes them at `bytes[at]`. */
  sealFrames(slot: number, bytes: Uint8Array, at: number): void {
    this.#exports.sealFrames(slot);
    bytes.set(this.#memory.subarray(this.#bytesAt, this.#bytesAt + this.foundBytes), at);
  }

  /** Opens the frames that are loaded up to the first whose tag is wrong; each plaintext is an array of its own. */
  openFrames(slot: number): OpenedFrame[] {
    const count = this.#exports.openFrames(slot);
    const frames: OpenedFrame[] = [];
    let at = this.#openedAt;
    for (let n = 0; n < count; n++) {
      const record = this.#records[n]!;
      const end = at + (record >>> 16);
      frames.push({ type: (record & 0xff) as SealedType, plaintext: this.#memory.slice(at, end) });
      at = end;
    }
    // The last block wrote more than its text.
    this.#memory.fill(0, this.#openedAt, at + BLOCK_BYTES);
    return frames;
  }

  /** Seals the one text that is loaded, and writes ciphertext and tag into `out` from index `at` on. */
  sealText(slot: number, additionalDataBytes: number, textBytes: number, out: Uint8Array, at: number): void {
    this.#exports.sealText(slot, additionalDataBytes, textBytes);
    const textAt = this.#bytesAt + NONCE_BYTES + additionalDataBytes;
    out.set(this.#memory.subarray(textAt, textAt + textBytes + TAG_BYTES), at);
  }

  /** Opens the one text that is loaded: its plaintext in an array of its own, or undefined where the tag is wrong. */
  openText(slot: number, additionalDataBytes: number, textBytes: number): Uint8Array | undefined {
    if (!this.#exports.openText(slot, additionalDataBytes, textBytes)) return undefined;
    const plaintext = this.#memory.slice(this.#openedAt, this.#openedAt + textBytes);
    this.#memory.fill(0, this.#openedAt, this.#openedAt + textBytes + BLOCK_BYTES);
    return plaintext;
  }
}

const tooLong = (): CryptoError => failure('a text is longer than AES-256-GCM takes here');
