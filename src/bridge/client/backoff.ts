import { checkDurationMs } from '../../protocol/check-option.js';
import { ConfigError } from '../../protocol/errors.js';

export interface BackoffOptions {
  /** The upper bound of the first delay; it doubles with each failure in a row. The default is 500 ms. */
  readonly minDelayMs?: number;
  /** Where the doubling stops; the default is 10 s: somebody is watching. */
  readonly maxDelayMs?: number;
}

/** Exponential back-off with full jitter: a gateway that comes back is not met by all dashboards at once. */
export class Backoff {
  readonly #random: () => number;
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  #failures = 0;

  /** @throws ConfigError `CONFIG_OPTION` */
  constructor(random: () => number, { minDelayMs = 500, maxDelayMs = 10_000 }: BackoffOptions = {}) {
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
