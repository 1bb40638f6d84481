import type { SchedulerLike, Subscription } from 'rxjs';
import type { UsmpError } from '../protocol/errors.js';
import { abortable } from './abort.js';
import type { Link } from './link.js';
import type { SessionLimits } from './session-limits.js';

interface RekeyingOptions {
  readonly scheduler: SchedulerLike;
  readonly policy: SessionLimits['rekey'];
  readonly link: Pick<Link, 'rekeyPending' | 'framesUnderKeys'>;
  /** Sends REKEY and a PING as soon as pacing and the transport allow; `onSealed` is told when they leave. */
  readonly sendRekey: (onSealed: () => void) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: UsmpError) => void;
}

/** Rekeyings that this side starts: when asked, and when the policy says so; one at a time. */
export class Rekeying {
  readonly #options: RekeyingOptions;
  readonly #waiters = new Set<Waiter>();
  #stage: 'idle' | 'requested' | 'sealed' = 'idle';
  #timer: Subscription | undefined;
  #stopped = false;

  constructor(options: RekeyingOptions) {
    this.#options = options;
    this.#startTimer();
  }

  /** Resolves when the rekeying that is under way, or a new one, is confirmed. */
  rekey(signal?: AbortSignal): Promise<void> {
    return abortable(signal, (resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      this.#request();
      return () => this.#waiters.delete(waiter);
    });
  }

  /** A frame was sealed or opened: a confirmation may have come, or a new rekeying may be due. */
  progressed(): void {
    const { link, policy } = this.#options;
    if (this.#stage === 'sealed' && !link.rekeyPending) this.#confirmed();
    else if (this.#stage === 'idle' && link.framesUnderKeys >= policy.everyFrames) this.#request();
  }

  /** The keys are new, whoever wanted it: their time starts. */
  keysChanged(): void {
    this.#startTimer();
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.unsubscribe();
  }

  end(error: UsmpError): void {
    this.stop();
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  #request(): void {
    if (this.#stage !== 'idle' || this.#stopped) return;
    this.#stage = 'requested';
    this.#options.sendRekey(() => {
      this.#stage = 'sealed';
    });
  }

  #confirmed(): void {
    this.#stage = 'idle';
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters.clear();
  }

  #startTimer(): void {
    const { everyMs } = this.#options.policy;
    if (everyMs === undefined || this.#stopped) return;
    this.#timer?.unsubscribe();
    this.#timer = this.#options.scheduler.schedule(() => this.#request(), everyMs);
  }
}
