import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../src/testing/seeded-random.js';

function drawn(seed: string | number, count = 100_000): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.next());
}

describe('seeded random numbers', () => {
  it('follow from the seed, a number being its digits', () => {
    expect(drawn(7, 100)).toEqual(drawn('7', 100));
    expect(drawn(7, 100)).not.toEqual(drawn(8, 100));
  });

  it.each([0, 1, 2, ''])('are evenly distributed from 0 to 1, and do not remember the one before: seed %p', (seed) => {
    const cells = Array.from({ length: 100 }, () => 0);
    const numbers = drawn(seed);
    numbers.forEach((number, n) => cells[10 * Math.floor(10 * number) + Math.floor(10 * numbers.at(n - 1)!)]!++);

    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    // 1,000 are expected in each cell, with a standard deviation of 32.
    expect(Math.min(...cells)).toBeGreaterThan(1000 - 5 * 32);
    expect(Math.max(...cells)).toBeLessThan(1000 + 5 * 32);
  });

  it('are not alike for seeds that are alike', () => {
    const [left, right] = [drawn(1), drawn(2)];
    const products = left.map((number, n) => (number - 0.5) * (right[n]! - 0.5));

    expect(Math.abs(products.reduce((sum, product) => sum + product, 0) / products.length)).toBeLessThan(0.002);
  });

  it('below a bound are all whole numbers from 0 to the one before it', () => {
    const random = new SeededRandom('dice');

    expect(new Set(Array.from({ length: 1000 }, () => random.below(6)))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  });

  it('make what has probability 0 never happen, and what has probability 1 always', () => {
    const random = new SeededRandom('sure');
    const happened = Array.from({ length: 1000 }, () => [random.chance(0), random.chance(1)]);

    expect(happened.every(([never, always]) => !never && always)).toBe(true);
  });
});
