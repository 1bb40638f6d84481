/** As many pairs are remembered as a determined attacker may make us remember; the one that failed longest ago is forgotten. */
const MAX_PAIRS = 10_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

export interface AuthenticationBackoffLimits {
  /** So many failures have no consequence. */
  readonly freeAuthenticationFailures: number;
  readonly maxAuthenticationDelayMs: number;
}

/**
 * Slows guessing down for one pair of address and device id: after the free failures each one more bars the pair for 1 s, 2 s,
 * 4 s … A neighbour behind the same address, and the same device elsewhere, are not touched.
 */
export class AuthenticationBackoff {
  readonly #limits: AuthenticationBackoffLimits;
  /** In the order of their last failures. */
  readonly #failures = new Map<string, Failures>();

  constructor(limits: AuthenticationBackoffLimits) {
    this.#limits = limits;
  }

  /** Milliseconds until this pair may try again; 0 where it may now. A clock that was set back bars nobody. */
  barredForMs(pair: string, nowMs: number): number {
    const failures = this.#failures.get(pair);
    if (!failures || nowMs < failures.lastMs) return 0;
    return Math.max(0, failures.lastMs + this.#delayMs(failures.count) - nowMs);
  }

  failed(pair: string, nowMs: number): void {
    const count = (this.#failures.get(pair)?.count ?? 0) + 1;
    this.#failures.delete(pair);
    this.#failures.set(pair, { count, lastMs: nowMs });
    if (this.#failures.size <= MAX_PAIRS) return;
    const [oldest] = this.#failures.keys();
    this.#failures.delete(oldest as string);
  }

  succeeded(pair: string): void {
    this.#failures.delete(pair);
  }

  #delayMs(count: number): number {
    const { freeAuthenticationFailures, maxAuthenticationDelayMs } = this.#limits;
    const beyond = count - freeAuthenticationFailures;
    return beyond > 0 ? Math.min(1_000 * 2 ** (beyond - 1), maxAuthenticationDelayMs) : 0;
  }
}
