import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toHex, type ErrorOrigin } from '../../src/protocol/index.js';
import { Wire, type End } from './byte-streams.js';
import { pattern, type Role } from './pair.js';

const otherSide = (origin: ErrorOrigin): ErrorOrigin => (origin === 'local' ? 'remote' : 'local');
const digits = (messages: readonly Uint8Array[]): string[] => messages.map((message) => toHex(message));

/** Everything that was sent arrives once and in order, and both ends went through the same keys, which still serve. */
function expectWhole(wire: Wire): void {
  wire.settle();
  const { client, server } = wire;
  expect([client.channel.rekeyPending, server.channel.rekeyPending]).toEqual([false, false]);
  client.send(pattern(5, 1));
  server.send(pattern(5, 2));
  wire.settle();
  expect(digits(server.received)).toEqual(digits(client.sent));
  expect(digits(client.received)).toEqual(digits(server.sent));
  expect(server.rekeyings).toEqual(client.rekeyings.map(otherSide));
}

describe('two ends on two byte streams', () => {
  const role = fc.constantFrom<Role>('client', 'server');
  const length = fc.oneof(fc.nat(40), fc.constantFrom(0, 452, 453, 1808), fc.nat(1808));
  const operation = fc.oneof(
    fc.tuple(role, length).map(
      ([from, bytes]) =>
        (wire: Wire, at: number) =>
          wire.end(from).send(pattern(bytes, at)),
    ),
    role.map((from) => (wire: Wire) => wire.end(from).ping()),
    role.map((from) => (wire: Wire) => wire.end(from).rekey()),
    fc.tuple(role, fc.integer({ min: 1, max: 6 })).map(
      ([to, count]) =>
        (wire: Wire) =>
          wire.deliverTo(to, count),
    ),
  );

  it('never lose, repeat or reorder a message, nor seal twice with a key and number, however they rekey', () => {
    let rekeyings = 0;
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150, size: 'max' }), (operations) => {
        const wire = new Wire();
        operations.forEach((operate, at) => operate(wire, at));
        expectWhole(wire);
        rekeyings += wire.client.rekeyings.length;
      }),
    );
    expect(rekeyings).toBeGreaterThan(100);
  });

  it('stay whole over a long session with more than a hundred rekeyings from both sides', () => {
    const wire = new Wire();
    for (let round = 0; round < 400; round++) {
      for (const from of ['client', 'server'] as const) {
        wire.end(from).send(pattern((round * 37) % 900, round));
        if ((round + from.length) % 3 === 0) wire.end(from).rekey();
      }
      wire.deliverTo('client', (round * 7) % 9);
      wire.deliverTo('server', (round * 11) % 9);
    }
    expectWhole(wire);
    expect(wire.client.rekeyings.length).toBeGreaterThan(100);
    expect(new Set(wire.client.rekeyings).size).toBe(2);
    expect(wire.ledger.seals).toBeGreaterThan(900);
  });
});

describe('both ends rekey at once', () => {
  type Act = (end: End) => void;
  const send: Act = (end) => end.send(pattern(3, end.sent.length));
  const rekey: Act = (end) => end.rekey();

  type Event = 'client acts' | 'server acts' | 'client reads' | 'server reads';

  /** Runs the acts of both ends in every order in which their streams could interleave; returns how many there are. */
  function exploreAll(acts: Readonly<Record<Role, readonly Act[]>>): number {
    let orders = 0;
    const explore = (events: readonly Event[]): void => {
      const wire = new Wire();
      const left = { client: [...acts.client], server: [...acts.server] };
      for (const event of events) {
        const [role, what] = event.split(' ') as [Role, string];
        if (what === 'acts') left[role].shift()?.(wire.end(role));
        else wire.deliverTo(role, 1);
      }
      const possible: Event[] = [];
      for (const role of ['client', 'server'] as const) {
        if (left[role].length > 0) possible.push(`${role} acts`);
        if (wire.peerOf(role).outbox.length > 0) possible.push(`${role} reads`);
      }
      for (const next of possible) explore([...events, next]);
      if (possible.length > 0) return;
      orders++;
      expectWhole(wire);
    };
    explore([]);
    return orders;
  }

  const scripts: readonly [string, Readonly<Record<Role, readonly Act[]>>][] = [
    ['and do nothing else', { client: [rekey], server: [rekey] }],
    ['and the client sends', { client: [rekey, send], server: [rekey] }],
    ['and the server sends', { client: [rekey], server: [rekey, send] }],
    ['and the client once more', { client: [rekey, rekey], server: [rekey] }],
    ['and the server once more', { client: [rekey], server: [rekey, rekey] }],
  ];
  it.each(scripts)('%s: in every order of events nothing is lost and both end with the same keys', (_name, acts) => {
    expect(exploreAll(acts)).toBeGreaterThanOrEqual(40);
  });
});
