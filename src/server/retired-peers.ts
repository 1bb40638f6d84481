import type { SchedulerLike } from 'rxjs';
import { sameBytes } from '../protocol/bytes.js';
import { RETIRED_MS } from '../transport/datagram.js';

const MAX_RETIRED = 1_000;

interface Retired {
  readonly last: Uint8Array;
  readonly answer: Uint8Array;
  readonly untilMs: number;
}

/** The last datagram of peers that are gone, and what it was answered with: the answer may have been lost. */
export class RetiredPeers {
  readonly #scheduler: SchedulerLike;
  /** By address, oldest first. */
  readonly #retired = new Map<string, Retired>();

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  add(address: string, last: Uint8Array, answer: Uint8Array): void {
    this.#retired.delete(address);
    this.#retired.set(address, { last, answer, untilMs: this.#scheduler.now() + RETIRED_MS });
    if (this.#retired.size > MAX_RETIRED) this.#retired.delete(this.#retired.keys().next().value as string);
  }

  /** The answer, where `datagram` is a repetition of the last one from this address. */
  answerTo(address: string, datagram: Uint8Array): Uint8Array | undefined {
    const retired = this.#retired.get(address);
    if (!retired) return undefined;
    if (retired.untilMs > this.#scheduler.now()) return sameBytes(retired.last, datagram) ? retired.answer : undefined;
    this.#retired.delete(address);
    return undefined;
  }
}
