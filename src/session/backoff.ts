import { checkDurationMs } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';

export interface BackoffOptions {
  /** The upper bound of the first delay; it doubles with each failure in a row. The default is 500 ms. */
  readonly minDelayMs?: number;
  /** Where the doubling stops; the default is 30 s, and of a dashboard 10 s, since somebody is watching. */
  readonly maxDelayMs?: number;
}

/** Exponential back-off with full jitter: a gateway that comes back is not met by all who lost it at once. */
export class Backoff {
  readonly #random: () => number;
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  #failures = 0;

  /**
   * @param random a number from 0 to below 1
   * @throws ConfigError `CONFIG_OPTION`
   */
  constructor(
    random: () => number,
    standardMaxDelayMs: number,
    { minDelayMs = 500, maxDelayMs = standardMaxDelayMs }: BackoffOptions = {},
  ) {
    this.#random = random;
    this.#minDelayMs = checkDurationMs('backoff.minDelayMs', minDelayMs, 1);
    this.#maxDelayMs = checkDurationMs('backoff.maxDelayMs', maxDelayMs, 1);
    if (maxDelayMs < minDelayMs) {
      throw new ConfigError('CONFIG_OPTION', `backoff: maxDelayMs ${maxDelayMs} is less than minDelayMs ${minDelayMs}`);
    }
  }

  /** Milliseconds to wait after one more failure: anything from 0 to the bound, all equally likely. */
  nextDelayMs(): number {
    const boundMs = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** Math.min(this.#failures, 31));
    this.#failures++;
    return Math.floor(this.#random() * (boundMs + 1));
  }

  reset(): void {
    this.#failures = 0;
  }
}
