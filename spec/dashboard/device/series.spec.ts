import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KEPT_MS, lastOf, NO_SERIES, withReadings, type Series } from '../../../src/dashboard/device/series.js';
import type { Reading } from '../../../src/dashboard/readings.js';

const reading = (atMs: number, values: Record<string, number>): Reading => ({
  atMs,
  values: new Map(Object.entries(values)),
});

describe('the columns of a chart', () => {
  it('are as long as the times, with null where a message lacked the field', () => {
    const series = withReadings(NO_SERIES, [
      reading(1_000, { a: 1 }),
      reading(2_000, { b: 2 }),
      reading(3_000, { a: 3, b: 4 }),
    ]);

    expect(series).toEqual({
      fields: ['a', 'b'],
      times: [1_000, 2_000, 3_000],
      columns: [
        [1, null, 3],
        [null, 2, 4],
      ],
    });
    expect([lastOf(series, 'a'), lastOf(series, 'b'), lastOf(series, 'c')]).toEqual([3, 4, undefined]);
  });

  it('take messages without numbers, and those out of order, for nothing', () => {
    const series = withReadings(NO_SERIES, [reading(5_000, { a: 1 }), reading(6_000, {}), reading(4_000, { a: 2 })]);
    expect(series.times).toEqual([5_000]);
  });

  it('have one point for what comes within 200 ms, the latest', () => {
    const quick = Array.from({ length: 1_000 }, (_, n) => reading(n, { a: n }));
    expect(withReadings(NO_SERIES, quick)).toMatchObject({
      times: [199, 399, 599, 799, 999],
      columns: [[199, 399, 599, 799, 999]],
    });
  });

  it('go back a quarter of an hour', () => {
    const series = withReadings(NO_SERIES, [
      reading(0, { a: 1 }),
      reading(1_000, { a: 2 }),
      reading(KEPT_MS + 500, { a: 3 }),
    ]);
    expect(series.times).toEqual([1_000, KEPT_MS + 500]);
    expect(series.columns).toEqual([[2, 3]]);
  });

  it('are the same however the readings are cut into batches, and never more than fit', () => {
    const readings = fc.array(
      fc.record({
        step: fc.nat(60_000),
        values: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'), fc.integer()),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(readings, fc.nat(60), (steps, cut) => {
        let atMs = 0;
        const all = steps.map(({ step, values }) => reading((atMs += step), values));
        const whole = withReadings(NO_SERIES, all);
        const halves: Series = withReadings(withReadings(NO_SERIES, all.slice(0, cut)), all.slice(cut));
        expect(halves).toEqual(whole);
        expect(whole.fields.length).toBeLessThanOrEqual(8);
        for (const column of whole.columns) expect(column).toHaveLength(whole.times.length);
      }),
    );
  });
});
