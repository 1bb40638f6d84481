import type { SchedulerLike, Subscription } from 'rxjs';
import { TimeoutError } from '../protocol/errors.js';

/** Whose silence it is. */
export interface SilentPeer {
  /** When its last authentic frame came, in milliseconds of the scheduler's clock. */
  readonly lastHeardMs: number;
  /** The session has to end. */
  onSilence(error: TimeoutError): void;
}

/**
 * The inactivity limit. It is looked at when it may have passed and not with each frame, which would cost more than the frame
 * itself.
 */
export class SilenceLimit {
  readonly #peer: SilentPeer;
  readonly #scheduler: SchedulerLike;
  readonly #idleTimeoutMs: number;
  #sinceMs = 0;
  #check: Subscription | undefined;

  constructor(peer: SilentPeer, scheduler: SchedulerLike, idleTimeoutMs: number) {
    this.#peer = peer;
    this.#scheduler = scheduler;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Counts silence from now on. */
  start(): void {
    this.#sinceMs = this.#scheduler.now();
    this.#checkAfter(this.#idleTimeoutMs);
  }

  /** Silence is no fault any more. */
  stop(): void {
    this.#check?.unsubscribe();
  }

  #checkAfter(delayMs: number): void {
    this.stop();
    this.#check = this.#scheduler.schedule(() => this.#look(), delayMs);
  }

  #look(): void {
    const leftMs = Math.max(this.#sinceMs, this.#peer.lastHeardMs) + this.#idleTimeoutMs - this.#scheduler.now();
    if (leftMs > 0) return this.#checkAfter(leftMs);
    const text = `no authentic frame came from the peer for ${this.#idleTimeoutMs} ms`;
    this.#peer.onSilence(new TimeoutError('TIMEOUT_IDLE', text));
  }
}
