import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RoundTripEstimate } from '../../../src/protocol/index.js';

function rtoAfter(...samplesMs: readonly number[]): number {
  const estimate = new RoundTripEstimate();
  for (const sampleMs of samplesMs) estimate.sample(sampleMs);
  return estimate.rtoMs;
}

const times = (count: number, sampleMs: number): number[] => Array.from({ length: count }, () => sampleMs);

describe('the round trip estimate', () => {
  it('starts with a timeout of 500 ms', () => {
    expect(rtoAfter()).toBe(500);
  });

  it.each([
    // 200 + 4 * (3/4 * 100)
    [[200], 500],
    // 7/8 * 200 + 1/8 * 100, variation 3/4 * 100 + 1/4 * 100
    [[100], 587.5],
    // 7/8 * 200 + 1/8 * 1000, variation 3/4 * 100 + 1/4 * 800
    [[1_000], 300 + 4 * 275],
    // The variation is against the smoothed time before the sample.
    [[1_000, 300], 300 + 4 * 206.25],
  ])('weighs samples of %j ms by 1/8 and their distance by 1/4 to a timeout of %d ms', (samplesMs, rtoMs) => {
    expect(rtoAfter(...samplesMs)).toBeCloseTo(rtoMs, 9);
  });

  it('comes down to 100 ms and no further on a fast network', () => {
    expect(rtoAfter(...times(100, 1))).toBe(100);
  });

  it('comes up to 5 s and no further on a slow one', () => {
    expect(rtoAfter(...times(100, 4_990), 100)).toBe(5_000);
  });

  it('approaches a steady round trip from above', () => {
    expect(rtoAfter(...times(200, 800))).toBeCloseTo(800, 3);
  });

  it('stays between 100 ms and 5 s whatever comes, and is not spoilt for long by a clock that was set', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 })), (samplesMs) => {
        const rtoMs = rtoAfter(...samplesMs);
        expect(rtoMs).toBeGreaterThanOrEqual(100);
        expect(rtoMs).toBeLessThanOrEqual(5_000);
        expect(rtoAfter(...samplesMs, ...times(60, 200))).toBeLessThan(250);
      }),
    );
  });
});
