/** Over so many whole seconds a rate is taken. */
const WINDOW_SECONDS = 5;

/** Messages a second over the last seconds that are complete. */
export class MessageRate {
  /** Of the last seconds, each at its number modulo their count. */
  readonly #counts = new Array<number>(WINDOW_SECONDS + 1).fill(0);
  readonly #firstSecond: number;
  #second: number;

  constructor(nowMs: number) {
    this.#second = secondOf(nowMs);
    this.#firstSecond = this.#second;
  }

  count(nowMs: number): void {
    this.#goTo(nowMs);
    const at = this.#second % this.#counts.length;
    this.#counts[at]! += 1;
  }

  /** Of a device that is younger than the window, over its age; with one decimal. */
  perSecond(nowMs: number): number {
    this.#goTo(nowMs);
    const present = this.#counts[this.#second % this.#counts.length]!;
    const complete = this.#counts.reduce((sum, count) => sum + count, -present);
    const seconds = Math.min(WINDOW_SECONDS, this.#second - this.#firstSecond);
    return seconds === 0 ? 0 : Math.round((10 * complete) / seconds) / 10;
  }

  #goTo(nowMs: number): void {
    const second = secondOf(nowMs);
    const { length } = this.#counts;
    for (let next = Math.max(this.#second + 1, second - length + 1); next <= second; next++) {
      this.#counts[next % length] = 0;
    }
    this.#second = Math.max(this.#second, second);
  }
}

const secondOf = (nowMs: number): number => Math.floor(nowMs / 1_000);
