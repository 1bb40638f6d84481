/**
 * Which key has which of a few slots; the one that was used least recently makes room. Keys are known by numbers, so that none is
 * kept alive by its slot.
 */
export class Slots {
  /** The key of each slot, 0 for none. */
  readonly #holders: number[];
  readonly #usedAt: number[];
  readonly #clear: (slot: number) => void;
  #now = 0;
  #keys = 0;

  /** `clear` overwrites what a slot has of its key. */
  constructor(count: number, clear: (slot: number) => void) {
    this.#holders = new Array<number>(count).fill(0);
    this.#usedAt = new Array<number>(count).fill(0);
    this.#clear = clear;
  }

  /** The number of a new key. */
  newKey(): number {
    return ++this.#keys;
  }

  /** The slot of a key, the empty one of another where it had none. `last` is the slot that it had last, if any. */
  take(key: number, last: number): number {
    const slot = this.#holders[last] === key ? last : this.#replace(key);
    this.#usedAt[slot] = ++this.#now;
    return slot;
  }

  /** Clears the slot of a key, if it has one. */
  release(key: number): void {
    const slot = this.#holders.indexOf(key);
    if (slot < 0) return;
    this.#clear(slot);
    this.#holders[slot] = 0;
    this.#usedAt[slot] = 0;
  }

  #replace(key: number): number {
    let oldest = 0;
    for (let slot = 1; slot < this.#usedAt.length; slot++) {
      if (this.#usedAt[slot]! < this.#usedAt[oldest]!) oldest = slot;
    }
    if (this.#holders[oldest] !== 0) this.#clear(oldest);
    this.#holders[oldest] = key;
    return oldest;
  }
}
