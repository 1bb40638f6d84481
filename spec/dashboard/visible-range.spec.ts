import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { visibleRange } from '../../src/dashboard/visible-range.js';

describe('the rows of a long list', () => {
  it('are in the document where they are seen, and six more on either side', () => {
    expect(visibleRange({ top: 1_000, height: 100 }, 10, 10_000)).toEqual({ first: 94, end: 116 });
    expect(visibleRange({ top: -200, height: 300 }, 10, 10_000)).toEqual({ first: 0, end: 16 });
    expect(visibleRange({ top: 0, height: 500 }, 40, 3)).toEqual({ first: 0, end: 3 });
    expect(visibleRange({ top: 900, height: 500 }, 40, 0)).toEqual({ first: 0, end: 0 });
  });

  it('hold all that is seen, and no more than fits besides', () => {
    const any = fc.record({ top: fc.integer({ min: -500, max: 50_000 }), height: fc.integer({ min: 0, max: 2_000 }) });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 100 }), fc.nat(2_000), ({ top, height }, rowHeight, count) => {
        const { first, end } = visibleRange({ top, height }, rowHeight, count);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThanOrEqual(height / rowHeight + 14);
        for (let row = 0; row < count; row++) {
          const isSeen = (row + 1) * rowHeight > top && row * rowHeight < top + height;
          if (isSeen) expect(row >= first && row < end).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
