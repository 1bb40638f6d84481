const EMPTY = new Uint8Array(0);

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
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, at === 0 ? this.#expected : 2 * needed));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#used = needed;
    return at;
  }

  /** What was collected; the buffer is empty after. A session that sends in bursts gets a burst's room at once next time. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#expected = this.#used;
    this.#bytes = EMPTY;
    this.#used = 0;
    return taken;
  }
}
