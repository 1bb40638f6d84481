import { asyncScheduler, VirtualAction, VirtualTimeScheduler, type Subscription } from 'rxjs';

/**
 * A scheduler whose clock only moves when told, for tests in the promise style. (Marble tests bring their own: the
 * `TestScheduler` of `rxjs/testing`.) Starts at 0.
 */
export class VirtualTime extends VirtualTimeScheduler {
  constructor() {
    super(InsertedAction);
  }

  /**
   * Lets `ms` milliseconds pass, none by default: runs everything that falls due, in order, and after each moment the promises
   * that it settled, so that code after an `await` goes on at the right time. Resolves when the time has passed.
   */
  async advance(ms = 0): Promise<void> {
    const end = this.frame + ms;
    const turns = new EventLoopTurns();
    try {
      await turns.next();
      for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
        this.maxFrames = due;
        this.flush();
        await turns.next();
      }
    } finally {
      turns.close();
    }
    this.frame = end;
    await errorsReported();
  }

  #nextDue(end: number): number | undefined {
    const delay = this.actions[0]?.delay;
    return delay !== undefined && delay <= end ? delay : undefined;
  }
}

/** Goes to its place in the queue, where RxJS sorts all of the queue for each: thousands of timers would take seconds. */
class InsertedAction<T> extends VirtualAction<T> {
  override schedule(state?: T, delay = 0): Subscription {
    const isFirst = this.id === undefined;
    if (isFirst || !Number.isFinite(delay)) return super.schedule(state, delay);
    this.active = false;
    const next = new InsertedAction(this.scheduler, this.work);
    this.add(next);
    return next.schedule(state, delay);
  }

  protected override requestAsyncId(scheduler: VirtualTimeScheduler, _id?: unknown, delay = 0): number {
    const due = scheduler.frame + delay;
    const { actions } = scheduler;
    let from = 0;
    let to = actions.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (actions[middle]!.delay <= due) from = middle + 1;
      else to = middle;
    }
    this.delay = due;
    actions.splice(from, 0, this);
    return 1;
  }
}

/** Turns of the event loop, without a timer: by the end of one every chain of promises that could run has run. */
class EventLoopTurns {
  readonly #channel = new MessageChannel();

  next(): Promise<void> {
    const { port1, port2 } = this.#channel;
    return new Promise((resolve) => {
      port1.onmessage = () => resolve();
      port2.postMessage(undefined);
    });
  }

  close(): void {
    this.#channel.port1.close();
  }
}

/** RxJS reports what a subscriber throws from a timer of its own, which was set before this one. */
const errorsReported = (): Promise<void> =>
  new Promise((resolve) => {
    asyncScheduler.schedule(() => resolve());
  });
