import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from '../../src/server/token-bucket.js';

const taken = (bucket: TokenBucket, times: number, nowMs: number): number =>
  Array.from({ length: times }, () => bucket.take(nowMs)).filter(Boolean).length;

describe('a token bucket', () => {
  it('lets a second of them through at once, and no more', () => {
    expect(taken(new TokenBucket(5), 10, 0)).toBe(5);
  });

  it('fills by the time that passes, up to a second of them', () => {
    const bucket = new TokenBucket(10);
    taken(bucket, 10, 0);

    expect(taken(bucket, 10, 350)).toBe(3);
    expect(taken(bucket, 10, 400)).toBe(1);
    expect(taken(bucket, 100, 3_600_000)).toBe(10);
  });

  it('loses nothing of times that are too short for one', () => {
    const bucket = new TokenBucket(1);
    bucket.take(0);
    for (let nowMs = 1; nowMs < 1_000; nowMs++) bucket.take(nowMs);

    expect(bucket.take(1_001)).toBe(true);
  });

  it('goes on from where a clock was set back to', () => {
    const bucket = new TokenBucket(2);
    taken(bucket, 2, 1_000_000);

    expect(bucket.take(0)).toBe(false);
    expect(taken(bucket, 5, 1_000)).toBe(2);
  });
});
