import { describe, expect, it } from '@jest/globals';
import { sparklinePath } from '../../src/dashboard/sparkline-path.js';

const box = { width: 100, height: 13, enough: 5 };

describe('a sparkline', () => {
  it('goes from the lowest value at the bottom to the highest at the top', () => {
    expect(sparklinePath([0, 10, 5, 0, 10], box)).toEqual({
      line: 'M0 11.5L25 1.5L50 6.5L75 11.5L100 1.5',
      area: 'M0 11.5L25 1.5L50 6.5L75 11.5L100 1.5L100 13L0 13Z',
    });
  });

  it('of few values leaves its left empty, and of many fills its width', () => {
    expect(sparklinePath([1, 2], box)?.line).toBe('M75 11.5L100 1.5');
    expect(sparklinePath([1, 2, 1, 2, 1, 2], box)?.line).toMatch(/^M0 .*L100 1\.5$/);
  });

  it('of equal values is a line in the middle, and of fewer than two there is none', () => {
    expect(sparklinePath([7, 7], box)?.line).toBe('M75 6.5L100 6.5');
    expect(sparklinePath([7], box)).toBeUndefined();
  });
});
