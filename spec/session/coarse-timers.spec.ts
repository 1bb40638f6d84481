import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CoarseTimers } from '../../src/session/coarse-timers.js';

describe('coarse timers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const timersOf = (): CoarseTimers => new CoarseTimers(() => Date.now());

  it('run nothing early, and nothing later than a 64th of the delay or 4 ms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 0, max: 100_000 }), (delayMs, startMs) => {
        jest.setSystemTime(startMs);
        const timers = timersOf();
        let ranMs = -1;
        timers.add({ run: () => (ranMs = Date.now()) }, delayMs);
        jest.advanceTimersByTime(delayMs - 1);
        expect(ranMs).toBe(-1);
        jest.advanceTimersByTime(2 + Math.max(4, delayMs / 64));
        expect(ranMs - startMs).toBeGreaterThanOrEqual(delayMs);
        expect(ranMs - startMs).toBeLessThanOrEqual(delayMs + Math.max(4, delayMs / 64));
      }),
    );
  });

  it('share few timers of the runtime among ten thousand limits of a minute', () => {
    const timers = timersOf();
    let ran = 0;
    for (let n = 0; n < 10_000; n++) {
      timers.add({ run: () => ran++ }, 60_000);
      if (n % 10 === 0) jest.advanceTimersByTime(1);
    }
    expect(timers.timers).toBeLessThanOrEqual(4);
    expect(jest.getTimerCount()).toBe(timers.timers);
    jest.advanceTimersByTime(62_000);
    expect(ran).toBe(10_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keep no timer for what was taken back, even by another that is due at the same moment', () => {
    const timers = timersOf();
    const ran: string[] = [];
    const takeBackAlone = timers.add({ run: () => ran.push('alone') }, 500);
    const takeBackNeighbour: (() => void)[] = [];
    timers.add(
      {
        run: () => {
          ran.push('first');
          takeBackNeighbour[0]?.();
        },
      },
      100,
    );
    takeBackNeighbour.push(timers.add({ run: () => ran.push('second') }, 100));
    takeBackAlone();
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1_000);
    expect(ran).toEqual(['first']);
    expect(timers.timers).toBe(0);
  });

  it('wait again where a timer of the runtime comes too early, as it does for more than it can hold', () => {
    let nowMs = 0;
    const timers = new CoarseTimers(() => nowMs);
    let ran = false;
    timers.add({ run: () => (ran = true) }, 2 ** 31 + 1_000);
    jest.advanceTimersByTime(2 ** 31 - 1);
    expect(ran).toBe(false);
    expect(jest.getTimerCount()).toBe(1);
    nowMs = 2 ** 32;
    jest.advanceTimersByTime(2 ** 31 - 1);
    expect(ran).toBe(true);
  });
});
