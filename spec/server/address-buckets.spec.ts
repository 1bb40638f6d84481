import { describe, expect, it } from '@jest/globals';
import { AddressBuckets } from '../../src/server/address-buckets.js';

describe('buckets of addresses', () => {
  it('give each address its own tokens, as many as come in a second', () => {
    const buckets = new AddressBuckets(3);
    const taken = Array.from({ length: 5 }, () => buckets.take('10.0.0.1', 0));

    expect(taken).toEqual([true, true, true, false, false]);
    expect(buckets.take('10.0.0.2', 0)).toBe(true);
    expect(buckets.take('10.0.0.1', 334)).toBe(true);
    expect(buckets.take('10.0.0.1', 334)).toBe(false);
  });

  it('are forgotten in the order in which they were used last, when 10,000 others came', () => {
    const buckets = new AddressBuckets(1);
    buckets.take('first', 0);
    buckets.take('second', 0);
    for (let n = 0; n < 9_998; n++) buckets.take(`other ${n}`, 0);
    // Asking makes it one that was used last.
    expect(buckets.take('first', 0)).toBe(false);
    buckets.take('one more', 0);

    expect(buckets.take('first', 0)).toBe(false);
    expect(buckets.take('second', 0)).toBe(true);
  });
});
