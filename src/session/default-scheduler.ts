import { asapScheduler, asyncScheduler, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';

/** Real time: work without delay runs in a microtask, so that it leaves with what the same tick does; the rest on timers. */
export const defaultScheduler: SchedulerLike = {
  // eslint-disable-next-line no-restricted-globals -- a clock that nobody can set back: limits must not stand still
  now: () => performance.timeOrigin + performance.now(),
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    const scheduler = delayMs > 0 ? asyncScheduler : asapScheduler;
    return scheduler.schedule(work, delayMs, state);
  },
};
