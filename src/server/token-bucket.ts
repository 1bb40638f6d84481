/** Lets so many through each second, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Whether one more may pass at `nowMs`; it is then counted. A clock that was set back fills nothing, and goes on from there. */
  take(nowMs: number): boolean {
    const quietMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (quietMs * this.#perSecond) / 1_000);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
