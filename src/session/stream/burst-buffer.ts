import { sealedMessageBytes } from '../../protocol/fragmentation.js';
import { MAX_MESSAGE_BYTES } from '../../protocol/sizes.js';
import type { Transport } from '../../transport/transport.js';

const EMPTY = new Uint8Array(0);

/** A burst this long leaves at once, before the tick is over, so that a full transport is noticed in time. */
export const MAX_BURST_BYTES = 64 * 1024;

/** Short bursts share arrays of this length, since an array of its own costs more than what is written into it. */
const SLAB_BYTES = 8 * 1024;

let slab = EMPTY;
let slabUsed = 0;

/** Fresh room for a short burst, which nobody else uses. It keeps at most `SLAB_BYTES` alive beside itself. */
function shareOfSlab(length: number): Uint8Array {
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += length;
  return slab.subarray(at, slabUsed);
}

/** Any burst fits: one that is nearly full, and the longest message. */
const SPARE_BYTES = MAX_BURST_BYTES + sealedMessageBytes(MAX_MESSAGE_BYTES);
/** A transport that can't take everything at once keeps the whole array, so what it keeps must be worth it. */
const MIN_LENT_BYTES = SPARE_BYTES / 16;

/**
 * Long bursts use one array again and again, where their transports take bytes at once: fresh ones would push everything else out of
 * the processor's caches. It is made when it is needed, and one buffer has it at a time.
 */
let spare: Uint8Array | undefined;
let isLent = false;

/** Collects the frames of one tick in one array, so that they leave as one write. */
export class BurstBuffer {
  #bytes: Uint8Array = EMPTY;
  #used = 0;
  #expected = 0;
  #hasSpare = false;

  get length(): number {
    return this.#used;
  }

  /** The array to write into at the index that `reserve` returned; a later `reserve` may replace it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Makes room for `length` bytes on their way to `transport` and returns the index where they go. */
  reserve(length: number, transport: Transport): number {
    const at = this.#used;
    const needed = at + length;
    if (needed > this.#bytes.length) this.#grow(Math.max(needed, at === 0 ? this.#expected : 2 * needed), transport);
    this.#used = needed;
    return at;
  }

  /**
   * Writes what was collected, and returns what `write` does; the buffer is empty then. A session that sends in bursts gets a burst's
   * room at once next time.
   */
  writeTo(transport: Transport): boolean {
    const bytes = this.#bytes;
    const collected = this.#used === bytes.length ? bytes : bytes.subarray(0, this.#used);
    this.#expected = this.#used;
    this.#empty();
    let isFree = false;
    try {
      const goesOn = transport.write(collected);
      isFree = transport.isFlushed === true;
      return goesOn;
    } finally {
      this.#giveBack(isFree);
    }
  }

  /** Overwrites what was collected, since it may be plaintext. */
  discard(): void {
    this.#bytes.fill(0, 0, this.#used);
    this.#empty();
    this.#giveBack(true);
  }

  #empty(): void {
    this.#bytes = EMPTY;
    this.#used = 0;
  }

  #grow(length: number, transport: Transport): void {
    const left = this.#bytes.subarray(0, this.#used);
    const grown = this.#room(length, transport);
    grown.set(left);
    // It may be plaintext.
    left.fill(0);
    this.#bytes = grown;
  }

  #room(length: number, transport: Transport): Uint8Array {
    if (length <= SLAB_BYTES / 4) return shareOfSlab(length);
    if (isLent || length < MIN_LENT_BYTES || length > SPARE_BYTES || !transport.isFlushed)
      return new Uint8Array(length);
    isLent = this.#hasSpare = true;
    spare ??= new Uint8Array(SPARE_BYTES);
    return spare;
  }

  #giveBack(isFree: boolean): void {
    if (!this.#hasSpare) return;
    isLent = this.#hasSpare = false;
    if (!isFree) spare = undefined;
  }
}
