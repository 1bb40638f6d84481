import { RANGE_WORDS } from '../../protocol/aead-batch.js';
import type { CryptoError } from '../../protocol/errors.js';
import { NONCE_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import { failure } from '../failures.js';
import { kernel } from './kernel.js';
import { Slots } from './slots.js';

const BLOCK_BYTES = 16;

/** What kernel.as exports; addresses are indices of `memory`. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly slotCount: WebAssembly.Global<'i32'>;
  readonly textLimit: WebAssembly.Global<'i32'>;
  readonly blockLimit: WebAssembly.Global<'i32'>;
  readonly byteLimit: WebAssembly.Global<'i32'>;
  readonly rangesAt: WebAssembly.Global<'i32'>;
  readonly verdictsAt: WebAssembly.Global<'i32'>;
  readonly blocksAt: WebAssembly.Global<'i32'>;
  readonly bytesAt: WebAssembly.Global<'i32'>;
  counters(slot: number, base: number, count: number): number;
  seal(slot: number, base: number, count: number): void;
  open(slot: number, base: number, count: number): void;
  clear(slot: number): void;
}

/**
 * The WebAssembly half of AES-256-GCM, which all keys of a program share: the texts that are worked on, and for the keys used last
 * their tables and key stream of texts that are still to come. Nothing else that is secret stays here between two uses. Use: `load`
 * or `loadOne`, encrypt `counters()` if there are any and give the result to `setKeyStream`, then `seal` or `open`.
 */
export class GcmKernel {
  readonly slots: Slots;
  readonly #exports: Exports;
  readonly #memory: Uint8Array;
  readonly #ranges: Uint32Array;
  readonly #textLimit: number;
  readonly #blockLimit: number;
  readonly #byteLimit: number;
  readonly #verdictsAt: number;
  readonly #blocksAt: number;
  readonly #bytesAt: number;

  #count = 0;
  /** The part of the caller's array that is loaded. */
  #from = 0;
  #to = 0;

  /** @throws WebAssembly.CompileError where the runtime has no vectors of 128 bits; RangeError where memory is short. */
  constructor(binary: Uint8Array<ArrayBuffer> = Buffer.from(kernel, 'base64')) {
    const module = new WebAssembly.Module(binary);
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    const { memory, rangesAt, slotCount, textLimit, blockLimit, byteLimit, verdictsAt, blocksAt, bytesAt } =
      this.#exports;
    this.#memory = new Uint8Array(memory.buffer);
    this.#textLimit = textLimit.value;
    this.#blockLimit = blockLimit.value;
    this.#byteLimit = byteLimit.value;
    this.#verdictsAt = verdictsAt.value;
    this.#blocksAt = blocksAt.value;
    this.#bytesAt = bytesAt.value;
    this.#ranges = new Uint32Array(memory.buffer, rangesAt.value, this.#textLimit * RANGE_WORDS);
    this.slots = new Slots(slotCount.value, (slot) => this.#exports.clear(slot));
  }

  /**
   * Takes in as many texts of a batch as there is room for, from the one at index `first` of `ranges` on. Gives their number.
   * @throws CryptoError `CRYPTO_FAILURE` where a text does not lie within `bytes` or is too long.
   */
  load(bytes: Uint8Array, ranges: Uint32Array, first: number): number {
    const limit = Math.min(ranges.length, first + this.#textLimit * RANGE_WORDS);
    let from = bytes.length;
    let to = 0;
    let blocks = 1;
    let next = first;
    for (; next < limit; next += RANGE_WORDS) {
      const additionalDataAt = ranges[next]!;
      const additionalDataBytes = ranges[next + 1]!;
      const nonceAt = ranges[next + 2]!;
      const textAt = ranges[next + 3]!;
      const textBytes = ranges[next + 4]!;
      const begin = Math.min(from, additionalDataAt, nonceAt, textAt);
      const end = Math.max(
        to,
        additionalDataAt + additionalDataBytes,
        nonceAt + NONCE_BYTES,
        textAt + textBytes + TAG_BYTES,
      );
      if (end > bytes.length) throw failure(`a text of a batch ends at ${end} in ${bytes.length} bytes`);
      blocks += 1 + Math.ceil(textBytes / BLOCK_BYTES);
      if (end - begin > this.#byteLimit || blocks > this.#blockLimit) break;
      from = begin;
      to = end;
      this.#setRange(next - first, additionalDataAt, additionalDataBytes, nonceAt, textAt, textBytes);
    }
    this.#count = (next - first) / RANGE_WORDS;
    if (this.#count === 0) throw tooLong();
    this.#from = from;
    this.#to = to;
    this.#memory.set(bytes.subarray(from, to), this.#bytesAt);
    return this.#count;
  }

  /**
   * Takes in one text; `text` ends with the tag where it is to be opened.
   * @throws CryptoError `CRYPTO_FAILURE` where it is too long.
   */
  loadOne(nonce: Uint8Array, additionalData: Uint8Array, text: Uint8Array, textBytes: number): void {
    const textAt = NONCE_BYTES + additionalData.length;
    const end = textAt + textBytes + TAG_BYTES;
    if (end > this.#byteLimit) throw tooLong();
    this.#count = 1;
    this.#from = 0;
    this.#to = end;
    this.#setRange(0, NONCE_BYTES, additionalData.length, 0, textAt, textBytes);
    this.#memory.set(nonce, this.#bytesAt);
    this.#memory.set(additionalData, this.#bytesAt + NONCE_BYTES);
    this.#memory.set(text, this.#bytesAt + textAt);
  }

  /** The blocks that AES makes the key stream of: a view, until the next call. Undefined where that was made ahead. */
  counters(slot: number): Uint8Array | undefined {
    const blocks = this.#exports.counters(slot, this.#base, this.#count);
    return blocks === 0 ? undefined : this.#memory.subarray(this.#blocksAt, this.#blocksAt + blocks * BLOCK_BYTES);
  }

  /** Takes the key stream over: overwrites `keyStream`. */
  setKeyStream(keyStream: Uint8Array): void {
    this.#memory.set(keyStream, this.#blocksAt);
    keyStream.fill(0);
  }

  /** Seals what is loaded, and writes it to where it was loaded from. */
  seal(slot: number, bytes: Uint8Array): void {
    this.#exports.seal(slot, this.#base, this.#count);
    bytes.set(this.#memory.subarray(this.#bytesAt, this.#bytesAt + this.#to - this.#from), this.#from);
  }

  /** Seals the one text that is loaded, and writes ciphertext and tag into `out` from index `at` on. */
  sealOne(slot: number, out: Uint8Array, at: number): void {
    this.#exports.seal(slot, this.#base, 1);
    out.set(this.#memory.subarray(this.#bytesAt + this.#ranges[3]!, this.#bytesAt + this.#to), at);
  }

  /** Opens what is loaded: adds for each text its plaintext in an array of its own, or undefined where the tag is wrong. */
  open(slot: number, opened: (Uint8Array | undefined)[]): void {
    const base = this.#base;
    this.#exports.open(slot, base, this.#count);
    const ranges = this.#ranges;
    for (let text = 0; text < this.#count; text++) {
      const at = base + ranges[text * RANGE_WORDS + 3]!;
      const isRight = this.#memory[this.#verdictsAt + text] === 1;
      opened.push(isRight ? this.#memory.slice(at, at + ranges[text * RANGE_WORDS + 4]!) : undefined);
    }
    this.#memory.fill(0, this.#bytesAt, this.#bytesAt + this.#to - this.#from);
  }

  #setRange(
    at: number,
    additionalDataAt: number,
    additionalDataBytes: number,
    nonceAt: number,
    textAt: number,
    textBytes: number,
  ): void {
    const ranges = this.#ranges;
    ranges[at] = additionalDataAt;
    ranges[at + 1] = additionalDataBytes;
    ranges[at + 2] = nonceAt;
    ranges[at + 3] = textAt;
    ranges[at + 4] = textBytes;
  }

  /** Added to an index of the caller's array it gives an address. */
  get #base(): number {
    return this.#bytesAt - this.#from;
  }
}

const tooLong = (): CryptoError => failure('a text is longer than AES-256-GCM by batches takes');
