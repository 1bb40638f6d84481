import type { SchedulerLike, Subscription } from 'rxjs';
import { TimeoutError } from '../protocol/errors.js';

interface SilenceOptions {
  readonly scheduler: SchedulerLike;
  readonly idleTimeoutMs: number;
  /** When the last authentic frame came, in milliseconds of the scheduler's clock. */
  readonly lastHeardMs: () => number;
  /** The session has to end. */
  readonly onSilence: (error: TimeoutError) => void;
}

/**
 * The inactivity limit. It is looked at when it may have passed and not with each frame, which would cost more than the frame
 * itself.
 */
export class SilenceLimit {
  readonly #options: SilenceOptions;
  #sinceMs = 0;
  #check: Subscription | undefined;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  /** Counts silence from now on. */
  start(): void {
    const { scheduler, idleTimeoutMs } = this.#options;
    this.stop();
    this.#sinceMs = scheduler.now();
    const leftMs = (): number => this.#leftMs();
    const passed = (): void => this.#passed();
    this.#check = scheduler.schedule(function () {
      const left = leftMs();
      if (left > 0) this.schedule(undefined, left);
      else passed();
    }, idleTimeoutMs);
  }

  /** Silence is no fault any more. */
  stop(): void {
    this.#check?.unsubscribe();
  }

  #leftMs(): number {
    const { scheduler, idleTimeoutMs, lastHeardMs } = this.#options;
    return Math.max(this.#sinceMs, lastHeardMs()) + idleTimeoutMs - scheduler.now();
  }

  #passed(): void {
    const { idleTimeoutMs, onSilence } = this.#options;
    onSilence(new TimeoutError('TIMEOUT_IDLE', `no authentic frame came from the peer for ${idleTimeoutMs} ms`));
  }
}
