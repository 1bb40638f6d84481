import type { SchedulerLike, Subscription } from 'rxjs';

/**
 * Receivers give up after more than 8 control frames within a second with no data between them (protocol.md section 6). One of
 * the 8 is kept for BYE and half of the others for answers to the peer's own PINGs. Data of ours makes no room for more: each
 * PING also causes a PONG, and there need be no data between those. Since a network can squeeze two seconds into one, the
 * window is twice as long.
 */
const MAX_FRAMES = 3;
const WINDOW_MS = 2_000;

interface Waiting {
  readonly frames: number;
  readonly send: () => void;
}

/** Lets PING and REKEY out in their order and never in bursts. */
export class ControlPacing {
  readonly #scheduler: SchedulerLike;
  readonly #waiting: Waiting[] = [];
  readonly #sentAtMs: number[] = [];
  #timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Calls `send` as soon as it may send `frames` control frames, 1 or 2. */
  run(frames: number, send: () => void): void {
    this.#waiting.push({ frames, send });
    this.#runDue();
  }

  /** They left, which may be later than they were let out. */
  sent(frames: number): void {
    for (let n = 0; n < frames; n++) this.#sentAtMs.push(this.#scheduler.now());
    while (this.#sentAtMs.length > MAX_FRAMES) this.#sentAtMs.shift();
  }

  stop(): void {
    this.#timer?.unsubscribe();
    this.#waiting.length = 0;
  }

  #runDue(): void {
    if (this.#timer) return;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const delayMs = this.#delayMs(next.frames);
      if (delayMs > 0) {
        this.#timer = this.#scheduler.schedule(() => {
          this.#timer = undefined;
          this.#runDue();
        }, delayMs);
        return;
      }
      this.#waiting.shift();
      next.send();
    }
  }

  /** Milliseconds until the frame that has to leave the window has left it. */
  #delayMs(frames: number): number {
    const blockingMs = this.#sentAtMs[this.#sentAtMs.length - 1 - (MAX_FRAMES - frames)];
    return blockingMs === undefined ? 0 : Math.max(0, blockingMs + WINDOW_MS - this.#scheduler.now());
  }
}
