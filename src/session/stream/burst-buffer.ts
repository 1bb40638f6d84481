const EMPTY = new Uint8Array(0);

/** Short bursts share arrays of this length, since an array of its own costs more than what is written into it. */
const SLAB_BYTES = 8 * 1024;

let slab = EMPTY;
let slabUsed = 0;

/** Fresh room, which nobody else uses. It keeps at most `SLAB_BYTES` alive beside itself. */
function room(length: number): Uint8Array {
  if (length > SLAB_BYTES / 4) return new Uint8Array(length);
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += length;
  return slab.subarray(at, slabUsed);
}

/** Collects the frames of one tick in one array, so that they leave as one write. */
export class BurstBuffer {
  #bytes: Uint8Array = EMPTY;
  #used = 0;
  #expected = 0;

  get length(): number {
    return this.#used;
  }

  /** The array to write into at the index that `reserve` returned; a later `reserve` may replace it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Makes room for `length` bytes and returns the index where they go. */
  reserve(length: number): number {
    const at = this.#used;
    const needed = at + length;
    if (needed > this.#bytes.length) this.#grow(Math.max(needed, at === 0 ? this.#expected : 2 * needed));
    this.#used = needed;
    return at;
  }

  /** What was collected; the buffer is empty after. A session that sends in bursts gets a burst's room at once next time. */
  take(): Uint8Array {
    const taken = this.#used === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#used);
    this.#expected = this.#used;
    this.#bytes = EMPTY;
    this.#used = 0;
    return taken;
  }

  /** What is left behind may be plaintext. */
  #grow(length: number): void {
    const grown = room(length);
    const left = this.#bytes.subarray(0, this.#used);
    grown.set(left);
    left.fill(0);
    this.#bytes = grown;
  }
}
