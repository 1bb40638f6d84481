import type { SchedulerLike } from 'rxjs';
import { TimeoutError, type UsmpError } from '../protocol/errors.js';

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: UsmpError) => void;
}

/** A limit on silence: `silentMs` tells how long there has been nothing when the limit is looked at. */
interface SilenceLimit {
  readonly timeoutMs: number | undefined;
  readonly silentMs: () => number;
}

/** Calls that wait, first come, first served, each with a limit of its own. */
export class Waiters<T> {
  readonly #scheduler: SchedulerLike;
  readonly #waiting = new Set<Waiter<T>>();

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Rejects with TimeoutError `TIMEOUT_RECV` when there was silence for too long. Returns what takes the call back. */
  add({ resolve, reject }: Waiter<T>, { timeoutMs, silentMs }: SilenceLimit): () => void {
    const limit =
      timeoutMs === undefined
        ? undefined
        : this.#scheduler.schedule(
            function () {
              const leftMs = timeoutMs - silentMs();
              if (leftMs > 0) return void this.schedule(undefined, leftMs);
              takeBack();
              reject(new TimeoutError('TIMEOUT_RECV', `nothing came from the peer for ${timeoutMs} ms`));
            },
            Math.max(0, timeoutMs - silentMs()),
          );
    const waiter: Waiter<T> = {
      resolve: (value) => {
        limit?.unsubscribe();
        resolve(value);
      },
      reject: (error) => {
        limit?.unsubscribe();
        reject(error);
      },
    };
    const takeBack = (): void => {
      limit?.unsubscribe();
      this.#waiting.delete(waiter);
    };
    this.#waiting.add(waiter);
    return takeBack;
  }

  /** Takes out who has waited longest. */
  shift(): Waiter<T> | undefined {
    const [waiter] = this.#waiting;
    if (waiter) this.#waiting.delete(waiter);
    return waiter;
  }

  takeAll(): Waiter<T>[] {
    const all = [...this.#waiting];
    this.#waiting.clear();
    return all;
  }
}
