import { describe, expect, it } from '@jest/globals';
import { AnsweredDatagrams } from '../../../src/session/datagram/answered-datagrams.js';
import { pattern } from '../../protocol/pair.js';

describe('the datagrams that were answered', () => {
  it('get their answers again, where they are the same byte for byte', () => {
    const answered = new AnsweredDatagrams();
    for (const seed of [1, 2]) answered.add(pattern(50, seed), pattern(7, seed));

    expect(answered.answerTo(pattern(50, 1))).toEqual(pattern(7, 1));
    expect(answered.answerTo(pattern(50, 2))).toEqual(pattern(7, 2));
    expect(answered.answerTo(pattern(49, 1))).toBeUndefined();
    expect(answered.answerTo(pattern(50, 1).map((byte, at) => (at === 49 ? byte ^ 1 : byte)))).toBeUndefined();
  });

  it('are bounded: the last four are kept, whoever sends how many', () => {
    const answered = new AnsweredDatagrams();
    const seeds = Array.from({ length: 100 }, (_, seed) => seed);
    for (const seed of seeds) answered.add(pattern(50, seed), pattern(7, seed));

    expect(seeds.filter((seed) => answered.answerTo(pattern(50, seed)))).toEqual([96, 97, 98, 99]);
  });
});
