import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageRate } from '../../src/bridge/message-rate.js';

/** Counts messages at these times. */
function rateOf(startMs: number, ...timesMs: readonly number[]): MessageRate {
  const rate = new MessageRate(startMs);
  for (const timeMs of timesMs) rate.count(timeMs);
  return rate;
}

describe('the rate of messages', () => {
  it('is taken over whole seconds, so not before the first one has passed', () => {
    const rate = rateOf(10_000, 10_100, 10_200, 10_300);

    expect(rate.perSecond(10_999)).toBe(0);
    expect(rate.perSecond(11_000)).toBe(3);
  });

  it('is taken over the last five of them', () => {
    const rate = rateOf(0, ...Array.from({ length: 100 }, (_, n) => n * 200));

    expect(rate.perSecond(20_000)).toBe(5);
    expect(rate.perSecond(22_000)).toBe(3);
    expect(rate.perSecond(25_000)).toBe(0);
  });

  it('forgets what came before a long silence', () => {
    const rate = rateOf(0, 100, 1_100, 2_100);

    expect(rate.perSecond(3_600_000)).toBe(0);
    rate.count(3_600_100);
    expect(rate.perSecond(3_601_000)).toBe(0.2);
  });

  it('survives a clock that was set back', () => {
    const rate = rateOf(10_000, 10_500, 3_000);

    expect(rate.perSecond(11_000)).toBe(2);
  });

  it('is the number of messages in the five seconds before this one, over five, at any times', () => {
    const times = fc.array(fc.integer({ min: 0, max: 30_000 })).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(times, fc.integer({ min: 6_000, max: 40_000 }), (timesMs, nowMs) => {
        const past = timesMs.filter((timeMs) => timeMs <= nowMs);
        const second = Math.floor(nowMs / 1_000);
        const inWindow = past.filter((timeMs) => {
          const age = second - Math.floor(timeMs / 1_000);
          return age >= 1 && age <= 5;
        });

        expect(rateOf(0, ...past).perSecond(nowMs)).toBeCloseTo(inWindow.length / 5, 1);
      }),
    );
  });
});
