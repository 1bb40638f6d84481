/* eslint-disable no-restricted-globals -- here is where real time comes from */
import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { CoarseTimers, type Due } from './coarse-timers.js';

/** A clock that nobody can set back: limits must not stand still. */
const now = (): number => performance.timeOrigin + performance.now();

const timers = new CoarseTimers(now);

/**
 * After what the runtime has at hand: in Node when all that this turn of the event loop has read was handled, so that a loop of
 * sends leaves room for everything else; where there is no such moment, in a microtask.
 */
const { setImmediate: afterThisTurn } = globalThis as { setImmediate?: (run: () => void) => unknown };
const atOnce: (run: () => void) => unknown = afterThisTurn ?? queueMicrotask;

let next: Set<Due> = new Set();

function runNext(): void {
  const due = next;
  next = new Set();
  for (const one of due) {
    due.delete(one);
    one.run();
  }
}

function addNext(due: Due): () => void {
  const set = next;
  if (set.size === 0) atOnce(runNext);
  set.add(due);
  return () => set.delete(due);
}

class Action<T> extends Subscription implements SchedulerAction<T>, Due {
  readonly #work: (this: SchedulerAction<T>, state?: T) => void;
  #state: T | undefined;
  #takeBack: (() => void) | undefined;

  constructor(work: (this: SchedulerAction<T>, state?: T) => void) {
    super();
    this.#work = work;
  }

  schedule(state?: T, delayMs = 0): Subscription {
    if (this.closed) return this;
    this.#takeBack?.();
    this.#state = state;
    this.#takeBack = delayMs > 0 ? timers.add(this, delayMs) : addNext(this);
    return this;
  }

  run(): void {
    this.#takeBack = undefined;
    try {
      this.#work.call(this, this.#state);
    } catch (error) {
      // What else is due must run, and an error that nobody catches must be seen.
      setTimeout(() => {
        throw error;
      });
    }
  }

  override unsubscribe(): void {
    if (this.closed) return;
    this.#takeBack?.();
    this.#takeBack = undefined;
    super.unsubscribe();
  }
}

/**
 * Real time. Work without delay runs once everything that came in the same turn of the event loop was handled (without Node: in a
 * microtask), so that it leaves together; delays share few timers and are up to a 64th, or 4 ms, longer than asked for.
 */
export const defaultScheduler: SchedulerLike = {
  now,
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    return new Action(work).schedule(state, delayMs);
  },
};
