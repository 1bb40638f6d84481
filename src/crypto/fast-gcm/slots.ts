/**
 * Which key has which of a few slots; one that was not used for long makes room. Keys are known by numbers, so that none is
 * kept alive by its slot.
 */
export class Slots {
  /** The key of each slot, 0 for none. */
  readonly #holders: number[];
  /** Whether the slot was used again since the hand passed it. */
  readonly #isInUse: boolean[];
  readonly #clear: (slot: number) => void;
  /** Goes round and stops at what is not in use: nearly the order of last uses, at no cost that grows with the number of slots. */
  #hand = 0;
  #keys = 0;

  /** `clear` overwrites what a slot has of its key. */
  constructor(count: number, clear: (slot: number) => void) {
    this.#holders = new Array<number>(count).fill(0);
    this.#isInUse = new Array<boolean>(count).fill(false);
    this.#clear = clear;
  }

  /** The number of a new key. */
  newKey(): number {
    return ++this.#keys;
  }

  /** The slot of a key, the empty one of another where it had none. `last` is the slot that it had last, if any. */
  take(key: number, last: number): number {
    if (this.#holders[last] !== key) return this.#replace(key);
    this.#isInUse[last] = true;
    return last;
  }

  /** Clears the slot of a key, if it has one. */
  release(key: number): void {
    const slot = this.#holders.indexOf(key);
    if (slot < 0) return;
    this.#clear(slot);
    this.#holders[slot] = 0;
    this.#isInUse[slot] = false;
    this.#hand = slot;
  }

  #replace(key: number): number {
    const isInUse = this.#isInUse;
    let slot = this.#hand;
    while (isInUse[slot]) {
      isInUse[slot] = false;
      slot = this.#after(slot);
    }
    this.#hand = this.#after(slot);
    if (this.#holders[slot] !== 0) this.#clear(slot);
    this.#holders[slot] = key;
    return slot;
  }

  #after(slot: number): number {
    return slot + 1 === this.#holders.length ? 0 : slot + 1;
  }
}
