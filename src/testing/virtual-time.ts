import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';

/**
 * A scheduler whose clock only moves when told, for tests in the promise style. (Marble tests bring their own: the
 * `TestScheduler` of `rxjs/testing`.) Starts at 0.
 */
export class VirtualTime extends VirtualTimeScheduler {
  /**
   * Lets `ms` milliseconds pass, none by default: runs everything that falls due, in order, and after each moment the promises
   * that it settled, so that code after an `await` goes on at the right time. Resolves when the time has passed.
   */
  async advance(ms = 0): Promise<void> {
    const end = this.frame + ms;
    await promisesSettled();
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.maxFrames = due;
      this.flush();
      await promisesSettled();
    }
    this.frame = end;
  }

  #nextDue(end: number): number | undefined {
    const delay = this.actions[0]?.delay;
    return delay !== undefined && delay <= end ? delay : undefined;
  }
}

/** A turn of the event loop: by its end every chain of promises that could run has run. */
const promisesSettled = (): Promise<void> =>
  new Promise((resolve) => {
    asyncScheduler.schedule(() => resolve());
  });
