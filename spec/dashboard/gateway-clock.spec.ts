import { describe, expect, it } from '@jest/globals';
import { clockAhead } from '../../src/dashboard/gateway-clock.js';

describe("the gateway's clock", () => {
  it('is as far off as the quickest message says', () => {
    const ahead = [5_040, 5_010, 5_300].reduce((least, arrivedMs) => clockAhead(least, 0, arrivedMs), Infinity);
    expect(ahead).toBe(5_010);
  });

  it('may be ahead of the browser’s', () => expect(clockAhead(Infinity, 9_000, 4_000)).toBe(-5_000));
});
