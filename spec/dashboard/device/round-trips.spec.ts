import { describe, expect, it } from '@jest/globals';
import { NO_ROUND_TRIPS, summaryOf, withRoundTrip } from '../../../src/dashboard/device/round-trips.js';

describe('round trips', () => {
  it('are summed up as the last, the least, the median and the most', () => {
    const trips = [9, 3, 30, 4].reduce((all, ms, n) => withRoundTrip(all, n, ms), NO_ROUND_TRIPS);
    expect(summaryOf(trips)).toEqual({ lastMs: 4, minMs: 3, medianMs: 9, maxMs: 30 });
    expect(summaryOf(NO_ROUND_TRIPS)).toBeUndefined();
  });

  it('are kept up to 300', () => {
    const trips = Array.from({ length: 400 }, (_, n) => n).reduce((all, n) => withRoundTrip(all, n, n), NO_ROUND_TRIPS);
    expect([trips.times.length, trips.roundTripsMs.length, trips.times[0]]).toEqual([300, 300, 100]);
  });
});
