/** How many numbers `AeadBatch.ranges` has for each text. */
export const RANGE_WORDS = 5;

/**
 * Which parts of one array hold the texts of a burst that are sealed or opened together. It is filled, used and cleared again and
 * again, so that a burst allocates nothing for it.
 */
export class AeadBatch {
  #ranges = new Uint32Array(16 * RANGE_WORDS);
  #used = 0;

  /** How many texts. */
  get count(): number {
    return this.#used / RANGE_WORDS;
  }

  /**
   * Five numbers for each text, indices and lengths in bytes: where its additional data begins, how long that is, where its
   * nonce of 12 bytes begins, where the text begins and how long it is. The tag of 16 bytes stands behind the text and is not
   * counted. A view, until the next call of `add`.
   */
  get ranges(): Uint32Array {
    return this.#ranges.subarray(0, this.#used);
  }

  add(additionalDataAt: number, additionalDataBytes: number, nonceAt: number, textAt: number, textBytes: number): void {
    if (this.#used === this.#ranges.length) this.#grow();
    const ranges = this.#ranges;
    const at = this.#used;
    ranges[at] = additionalDataAt;
    ranges[at + 1] = additionalDataBytes;
    ranges[at + 2] = nonceAt;
    ranges[at + 3] = textAt;
    ranges[at + 4] = textBytes;
    this.#used = at + RANGE_WORDS;
  }

  clear(): void {
    this.#used = 0;
  }

  #grow(): void {
    const grown = new Uint32Array(2 * this.#ranges.length);
    grown.set(this.#ranges);
    this.#ranges = grown;
  }
}
