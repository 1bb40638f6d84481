import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ReplayWindow } from '../../../src/protocol/index.js';

/** Protocol.md section 5 word for word: it remembers everything. */
class NaiveWindow {
  readonly #seen = new Set<number>();
  highest = -1;

  check(seq: number): 'fresh' | 'seen' | 'too-old' {
    if (seq <= this.highest - 64) return 'too-old';
    return this.#seen.has(seq) ? 'seen' : 'fresh';
  }

  accept(seq: number): void {
    this.#seen.add(seq);
    this.highest = Math.max(this.highest, seq);
  }
}

const LAST = 0xffff_ffff;

function windowAfter(...accepted: readonly number[]): ReplayWindow {
  const window = new ReplayWindow();
  for (const seq of accepted) window.accept(seq);
  return window;
}

const checks = (window: ReplayWindow, ...seqs: readonly number[]): string[] => seqs.map((seq) => window.check(seq));

describe('the replay window', () => {
  it('takes any number at first', () => {
    const window = new ReplayWindow();
    expect(window.highest).toBe(-1);
    expect(checks(window, 0, 1, 63, 64, 0x7fff_ffff, 0x8000_0000, LAST - 1, LAST)).toEqual(Array(8).fill('fresh'));
  });

  it.each([0, 1, 31, 32, 63, 64, 0x7fff_ffff, 0x8000_0000, LAST - 1, LAST])(
    'has seen %i once it is accepted',
    (seq) => {
      const window = windowAfter(seq);
      expect(window.highest).toBe(seq);
      expect(window.check(seq)).toBe('seen');
      if (seq > 0) expect(window.check(seq - 1)).toBe('fresh');
      expect(window.check(seq + 1)).toBe('fresh');
    },
  );

  it.each([63, 100, 0x8000_0010, LAST - 1, LAST])('is 64 numbers wide at %i', (highest) => {
    const window = windowAfter(highest);
    expect(checks(window, highest - 1, highest - 31, highest - 32, highest - 33, highest - 63)).toEqual(
      Array(5).fill('fresh'),
    );
    if (highest > 63) expect(checks(window, highest - 64, highest - 65, 0)).toEqual(Array(3).fill('too-old'));
  });

  it('keeps what it has seen while it slides, up to its edge', () => {
    for (let distance = 1; distance <= 63; distance++) {
      const window = windowAfter(1_000, 1_000 + distance);
      expect(checks(window, 1_000, 1_000 + distance)).toEqual(['seen', 'seen']);
      expect(window.check(1_000 + distance - 63)).toBe(distance === 63 ? 'seen' : 'fresh');
    }
    expect(windowAfter(1_000, 1_064).check(1_000)).toBe('too-old');
  });

  it.each([64, 65, 96, 128, 0x1_0000, 0x8000_0000, LAST])(
    'has seen nothing but the highest after a jump by %i',
    (by) => {
      const filled = Array.from({ length: 64 }, (_, seq) => seq);
      const window = windowAfter(...filled, 0);
      const highest = Math.min(63 + by, LAST);
      window.accept(highest);
      const others = Array.from({ length: 63 }, (_, i) => highest - 63 + i);
      expect(new Set(checks(window, ...others))).toEqual(new Set(['fresh']));
      expect(window.check(highest)).toBe('seen');
      expect(window.check(0)).toBe('too-old');
    },
  );

  it('is moved by no number that is asked about, 0xFFFFFFFF included', () => {
    const window = windowAfter(5, 7);
    expect(checks(window, LAST, 6, 5)).toEqual(['fresh', 'fresh', 'seen']);
    expect(window.highest).toBe(7);
    expect(checks(window, 6, 5, 8)).toEqual(['fresh', 'seen', 'fresh']);
  });

  it('does not change when a number that is too old is accepted', () => {
    const window = windowAfter(200);
    for (const old of [0, 72, 136]) window.accept(old);
    const inside = Array.from({ length: 64 }, (_, i) => 137 + i);
    expect(checks(window, ...inside)).toEqual([...Array<string>(63).fill('fresh'), 'seen']);
    expect(window.highest).toBe(200);
  });

  it('answers like a set of all numbers ever accepted', () => {
    const start = fc.constantFrom(0, 1, 40, 0x7fff_ffc0, 0x8000_0000, LAST - 200);
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -70, max: 3 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 70 }) },
      { weight: 1, arbitrary: fc.constantFrom(31, 32, 33, 63, 64, 65, 1_000, LAST) },
    );
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 120 }), (first, steps) => {
        const [window, naive] = [new ReplayWindow(), new NaiveWindow()];
        for (const by of [0, ...steps]) {
          const seq = Math.min(Math.max((naive.highest < 0 ? first : naive.highest) + by, 0), LAST);
          expect(window.check(seq)).toBe(naive.check(seq));
          if (naive.check(seq) === 'fresh') {
            window.accept(seq);
            naive.accept(seq);
          }
          expect(window.highest).toBe(naive.highest);
        }
        const around = Array.from({ length: 70 }, (_, i) => naive.highest + 2 - i).filter((seq) => seq >= 0);
        expect(checks(window, ...around)).toEqual(around.map((seq) => naive.check(seq)));
      }),
    );
  });
});
