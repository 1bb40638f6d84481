import { copyBytes } from '../protocol/bytes.js';
import { corrupted } from './corruption.js';
import { checkConditions, type LinkConditions } from './link-conditions.js';
import { SeededRandom } from './seeded-random.js';

/** What a link did so far. */
export interface LinkCounters {
  /** Datagrams that were given to it. Each is blacked out, or lost, or arrives in one or two copies. */
  readonly sent: number;
  readonly blackedOut: number;
  readonly lost: number;
  /** Datagrams that arrive twice. */
  readonly duplicated: number;
  /** Copies that are held back. */
  readonly reordered: number;
  /** Copies that arrive with other bytes. */
  readonly corrupted: number;
}

/** What arrives of a datagram. */
export interface LinkCopy {
  /** An array of its own. */
  readonly datagram: Uint8Array;
  /** From now on, in milliseconds. */
  readonly delayMs: number;
}

/** One direction of a bad network: says what arrives of each datagram, and when. The same seed gives the same faults. */
export class FaultyLink {
  /** While true, everything is blacked out. */
  isDown = false;
  readonly #name: string;
  readonly #random: SeededRandom;
  readonly #counters = { sent: 0, blackedOut: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  #conditions: Required<LinkConditions>;

  /**
   * @param name what errors call the conditions
   * @throws ConfigError `CONFIG_OPTION` that names the field
   */
  constructor(conditions: LinkConditions, seed: string | number, name = 'conditions') {
    this.#name = name;
    this.#random = new SeededRandom(seed);
    this.#conditions = checkConditions(name, conditions);
  }

  /** As of now; the object does not change. */
  get counters(): LinkCounters {
    return { ...this.#counters };
  }

  /**
   * Takes the place of all conditions, from the next datagram on.
   * @throws ConfigError `CONFIG_OPTION` that names the field, and changes nothing
   */
  setConditions(conditions: LinkConditions): void {
    this.#conditions = checkConditions(this.#name, conditions);
  }

  /** @param nowMs on the clock of the blackouts */
  copies(datagram: Uint8Array, nowMs: number): readonly LinkCopy[] {
    const { loss, duplication } = this.#conditions;
    this.#counters.sent++;
    if (this.#isBlackedOut(nowMs)) {
      this.#counters.blackedOut++;
      return [];
    }
    if (this.#random.chance(loss)) {
      this.#counters.lost++;
      return [];
    }
    if (!this.#random.chance(duplication)) return [this.#copy(datagram)];
    this.#counters.duplicated++;
    return [this.#copy(datagram), this.#copy(datagram)];
  }

  #isBlackedOut(nowMs: number): boolean {
    return this.isDown || this.#conditions.blackouts.some(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs);
  }

  #copy(datagram: Uint8Array): LinkCopy {
    const { corruption, reordering, reorderingMs, delayMs, jitterMs } = this.#conditions;
    const isReordered = this.#random.chance(reordering);
    const isCorrupted = this.#random.chance(corruption);
    if (isReordered) this.#counters.reordered++;
    if (isCorrupted) this.#counters.corrupted++;
    const jitter = this.#random.below(Math.floor(jitterMs) + 1);
    return {
      datagram: isCorrupted ? corrupted(datagram, this.#random) : copyBytes(datagram, 0),
      delayMs: delayMs + jitter + (isReordered ? reorderingMs : 0),
    };
  }
}
