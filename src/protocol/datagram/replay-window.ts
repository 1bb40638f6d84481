const HALF = 32;
const WINDOW = 2 * HALF;

/**
 * Which sequence numbers of one key were received: the sliding window of 64 of protocol.md section 5. Numbers are whole, 0 to
 * 0xFFFFFFFF; that a sender never uses the last one is not the window's business.
 */
export class ReplayWindow {
  #highest = -1;
  /** Bit i stands for `highest - i`. */
  #near = 0;
  /** Bit i stands for `highest - 32 - i`. */
  #far = 0;

  /** The highest number accepted, -1 at first. */
  get highest(): number {
    return this.#highest;
  }

  /** Moves nothing, since nothing may move before the tag is verified. */
  check(seq: number): 'fresh' | 'seen' | 'too-old' {
    const age = this.#highest - seq;
    if (age < 0) return 'fresh';
    if (age >= WINDOW) return 'too-old';
    // A shift takes its distance modulo 32.
    return (age < HALF ? this.#near : this.#far) & (1 << age) ? 'seen' : 'fresh';
  }

  /** Takes note of the number of a frame whose tag was verified; one that is too old changes nothing. */
  accept(seq: number): void {
    if (seq > this.#highest) this.#slide(seq - this.#highest);
    const age = this.#highest - seq;
    if (age < HALF) this.#near |= 1 << age;
    else if (age < WINDOW) this.#far |= 1 << age;
  }

  #slide(distance: number): void {
    this.#highest += distance;
    if (distance < HALF) {
      this.#far = (this.#far << distance) | (this.#near >>> (HALF - distance));
      this.#near <<= distance;
    } else {
      this.#far = distance < WINDOW ? this.#near << distance : 0;
      this.#near = 0;
    }
  }
}
