import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FaultyLink, type LinkConditions, type LinkCopy } from 'usmp-rx/testing';
import { pattern } from '../protocol/pair.js';

const datagram = pattern(100, 1);

const run = (link: FaultyLink, count: number): LinkCopy[] =>
  Array.from({ length: count }, () => link.copies(datagram, 0)).flat();

/** Five standard deviations of the number of things that happen with probability `p` in `n` trials. */
const tolerance = (n: number, p: number): number => 5 * Math.sqrt(n * p * (1 - p));

function expectRate(happened: number, n: number, p: number): void {
  expect(happened).toBeGreaterThan(n * p - tolerance(n, p));
  expect(happened).toBeLessThan(n * p + tolerance(n, p));
}

const isDatagram = (copy: LinkCopy): boolean => Buffer.compare(copy.datagram, datagram) === 0;

describe('a link without conditions', () => {
  it('carries each datagram once, whole and without delay', () => {
    const link = new FaultyLink({}, 1);

    expect(run(link, 100)).toEqual(Array.from({ length: 100 }, () => ({ datagram, delayMs: 0 })));
    expect(link.counters).toEqual({ sent: 100, blackedOut: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 });
  });

  it('carries copies: neither side can modify what the other one has', () => {
    const link = new FaultyLink({ duplication: 1 }, 1);
    const sent = pattern(20, 2);
    const [first, second] = link.copies(sent, 0);
    first!.datagram.fill(0);

    expect([sent, second!.datagram]).toEqual([pattern(20, 2), pattern(20, 2)]);
  });
});

describe('a faulty link', () => {
  const sent = 20_000;
  const bad: LinkConditions = {
    loss: 0.3,
    duplication: 0.05,
    reordering: 0.2,
    corruption: 0.1,
    delayMs: 20,
    jitterMs: 10,
    blackouts: [{ fromMs: 100, toMs: 200 }],
  };

  it('does the same with the same seed, and something else with another one', () => {
    const copies = run(new FaultyLink(bad, 'a seed'), 1000);

    expect(run(new FaultyLink(bad, 'a seed'), 1000)).toEqual(copies);
    expect(run(new FaultyLink(bad, 'another seed'), 1000)).not.toEqual(copies);
  });

  it('has each fault as often as its conditions say, and counts it', () => {
    const link = new FaultyLink(bad, 2);
    const copies = run(link, sent);
    const { lost, duplicated, reordered, corrupted } = link.counters;

    expectRate(lost, sent, 0.3);
    expectRate(duplicated, sent - lost, 0.05);
    expectRate(reordered, copies.length, 0.2);
    expectRate(corrupted, copies.length, 0.1);
    expect(link.counters.sent).toBe(sent);
    expect(copies).toHaveLength(sent - lost + duplicated);
    expect(copies.filter(({ delayMs }) => delayMs >= 200)).toHaveLength(reordered);
    expect(copies.filter((copy) => !isDatagram(copy))).toHaveLength(corrupted);
  });

  it('has its faults independently of each other', () => {
    const link = new FaultyLink({ reordering: 0.5, corruption: 0.5 }, 3);
    const both = run(link, sent).filter((copy) => copy.delayMs > 0 && !isDatagram(copy));

    expectRate(both.length, sent, 0.25);
  });

  it('loses all with probability 1, and nothing else happens', () => {
    const link = new FaultyLink({ ...bad, loss: 1 }, 4);

    expect(run(link, 100)).toEqual([]);
    expect(link.counters).toMatchObject({ sent: 100, lost: 100, duplicated: 0, reordered: 0, corrupted: 0 });
  });

  it('delays by delayMs and, evenly, up to jitterMs more', () => {
    const delays = run(new FaultyLink({ delayMs: 20, jitterMs: 9 }, 5), sent).map(({ delayMs }) => delayMs);

    expect(new Set(delays)).toEqual(new Set([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]));
    for (const ms of new Set(delays)) expectRate(delays.filter((delay) => delay === ms).length, sent, 0.1);
  });

  it('holds a reordered datagram back by reorderingMs, 200 unless told', () => {
    const heldBack = (conditions: LinkConditions): number =>
      new FaultyLink({ ...conditions, reordering: 1, delayMs: 5 }, 6).copies(datagram, 0)[0]!.delayMs;

    expect([heldBack({}), heldBack({ reorderingMs: 30 })]).toEqual([205, 35]);
  });

  it('lets nothing through in a blackout, from its first millisecond to the one before its end', () => {
    const link = new FaultyLink({ blackouts: [10, 30].map((fromMs) => ({ fromMs, toMs: fromMs + 10 })) }, 7);
    const arrived = [0, 9, 10, 19, 20, 29, 30, 39, 40].filter((ms) => link.copies(datagram, ms).length > 0);

    expect(arrived).toEqual([0, 9, 20, 29, 40]);
    expect(link.counters).toMatchObject({ sent: 9, blackedOut: 4, lost: 0 });
  });

  it('takes other conditions while it runs', () => {
    const link = new FaultyLink({ loss: 1 }, 8);
    expect(run(link, 10)).toHaveLength(0);
    link.setConditions({ duplication: 1 });

    expect(run(link, 10)).toHaveLength(20);
    expect(link.counters).toMatchObject({ sent: 20, lost: 10, duplicated: 10 });
  });

  it('keeps the conditions that it was given, whatever becomes of the object', () => {
    const conditions = { loss: 0, blackouts: [{ fromMs: 0, toMs: 0 }] };
    const link = new FaultyLink(conditions, 9);
    conditions.loss = 1;
    conditions.blackouts[0]!.toMs = 1000;

    expect(run(link, 10)).toHaveLength(10);
  });
});

describe('corruption', () => {
  const corrupted = (bytes: Uint8Array, seed: number): Uint8Array =>
    new FaultyLink({ corruption: 1 }, seed).copies(bytes, 0)[0]!.datagram;

  it('changes every datagram, also an empty one, and never the array of the sender', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(), (bytes, seed) => {
        const before = Uint8Array.from(bytes);

        expect(corrupted(bytes, seed)).not.toEqual(before);
        expect(bytes).toEqual(before);
      }),
    );
  });

  it('flips 1 to 3 bits, or truncates, or appends 1 to 16 bytes', () => {
    const link = new FaultyLink({ corruption: 1 }, 1);
    const copies = run(link, 5000).map((copy) => copy.datagram);
    const bitsOf = (byte: number): number => byte.toString(2).replaceAll('0', '').length;
    const flips = copies
      .filter(({ length }) => length === datagram.length)
      .map((copy) => copy.reduce((bits, byte, n) => bits + bitsOf(byte ^ datagram[n]!), 0));
    const truncated = copies.filter(({ length }) => length < datagram.length);
    const appended = copies.filter(({ length }) => length > datagram.length);

    expect(new Set(flips)).toEqual(new Set([1, 2, 3]));
    expect(new Set(truncated.map(({ length }) => length)).size).toBe(datagram.length);
    expect(truncated.every((copy) => Buffer.compare(copy, datagram.subarray(0, copy.length)) === 0)).toBe(true);
    expect(new Set(appended.map(({ length }) => length - datagram.length)).size).toBe(16);
    expect(Math.max(...appended.map(({ length }) => length))).toBe(datagram.length + 16);
    expect(appended.every((copy) => Buffer.compare(copy.subarray(0, datagram.length), datagram) === 0)).toBe(true);
    for (const some of [flips, truncated, appended]) expectRate(some.length, 5000, 1 / 3);
  });
});

describe('link conditions', () => {
  it.each<[string, object]>([
    ['loss', { loss: -0.1 }],
    ['loss', { loss: Number.NaN }],
    ['duplication', { duplication: 1.1 }],
    ['reordering', { reordering: '0.5' }],
    ['corruption', { corruption: 30 }],
    ['delayMs', { delayMs: -1 }],
    ['jitterMs', { jitterMs: Number.POSITIVE_INFINITY }],
    ['reorderingMs', { reorderingMs: '10' }],
    ['blackouts[0].fromMs', { blackouts: [{ fromMs: -1, toMs: 5 }] }],
    [
      'blackouts[1].toMs',
      {
        blackouts: [
          { fromMs: 0, toMs: 5 },
          { fromMs: 10, toMs: 5 },
        ],
      },
    ],
  ])('that cannot be are refused with ConfigError CONFIG_OPTION that names %s', (field, conditions) => {
    const link = new FaultyLink({ loss: 1 }, 1);
    const message = expect.stringContaining(`conditions.${field}:`);

    expect(() => new FaultyLink(conditions, 1)).toThrow(expect.objectContaining({ code: 'CONFIG_OPTION', message }));
    expect(() => link.setConditions(conditions)).toThrow(expect.objectContaining({ code: 'CONFIG_OPTION', message }));
    expect(run(link, 1)).toEqual([]);
  });
});
