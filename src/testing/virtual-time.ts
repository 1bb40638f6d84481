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
    await errorsReported();
  }

  #nextDue(end: number): number | undefined {
    const delay = this.actions[0]?.delay;
    return delay !== undefined && delay <= end ? delay : undefined;
  }
}

/** A turn of the event loop, without a timer: by its end every chain of promises that could run has run. */
const promisesSettled = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

/** RxJS reports what a subscriber throws from a timer of its own, which was set before this one. */
const errorsReported = (): Promise<void> =>
  new Promise((resolve) => {
    asyncScheduler.schedule(() => resolve());
  });
