import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ErrorOrigin } from '../../../src/protocol/index.js';
import { pattern, type Role } from '../pair.js';
import { DatagramEnds, nameOf, type DatagramEnd } from './datagram-ends.js';
import { peerOf, ROLES } from './datagram-pair.js';

const otherSide = (origin: ErrorOrigin): ErrorOrigin => (origin === 'local' ? 'remote' : 'local');
const digits = (messages: readonly Uint8Array[]): string[] => messages.map(nameOf);

/** Two ends and what is under way between them, in no order. */
class BadNetwork {
  readonly #ends: DatagramEnds;
  /** By whom it was sent. */
  readonly #underWay: Readonly<Record<Role, Uint8Array[]>> = { client: [], server: [] };

  constructor() {
    this.#ends = new DatagramEnds((from, datagram) => void this.#underWay[from].push(datagram));
  }

  end(role: Role): DatagramEnd {
    return this.#ends.end(role);
  }

  get seals(): number {
    return this.#ends.ledger.seals;
  }

  /** One that is under way to this end arrives; it may be any. */
  deliver(to: Role, choice: number): void {
    const underWay = this.#underWay[peerOf(to)];
    const [datagram] = underWay.splice(choice % Math.max(1, underWay.length), 1);
    if (datagram) this.end(to).take(datagram);
  }

  duplicate(to: Role, choice: number): void {
    const underWay = this.#underWay[peerOf(to)];
    const datagram = underWay[choice % Math.max(1, underWay.length)];
    if (datagram) underWay.push(datagram);
  }

  lose(to: Role, choice: number): void {
    const underWay = this.#underWay[peerOf(to)];
    underWay.splice(choice % Math.max(1, underWay.length), 1);
  }

  /** Until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      for (const role of ROLES) while (this.#underWay[peerOf(role)].length > 0) this.deliver(role, 0);
      if (ROLES.every((role) => this.end(role).isIdle)) return;
      for (const role of ROLES) this.end(role).repeat();
    }
    throw new Error('the session does not settle');
  }

  /** Everything arrived exactly once and in order, and both ends went through the same keys, which still serve. */
  expectWhole(): void {
    for (const role of ROLES) this.end(role).hasRoom = true;
    this.settle();
    const [client, server] = [this.end('client'), this.end('server')];
    client.send(pattern(1_500, 1));
    server.send(pattern(1_500, 2));
    this.settle();
    expect([client.channel.rekeyPending, server.channel.rekeyPending]).toEqual([false, false]);
    expect(digits(server.received)).toEqual(digits(client.sent));
    expect(digits(client.received)).toEqual(digits(server.sent));
    expect(server.rekeyings).toEqual(client.rekeyings.map(otherSide));
  }
}

describe('two ends on a network that loses, repeats and reorders', () => {
  const role = fc.constantFrom<Role>('client', 'server');
  const length = fc.oneof(fc.nat(40), fc.constantFrom(0, 452, 453, 1_808), fc.nat(1_808));
  const choice = fc.nat(7);
  const operation = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.tuple(role, length).map(
        ([from, bytes]) =>
          (network: BadNetwork, at: number) =>
            network.end(from).send(pattern(bytes, at)),
      ),
    },
    { weight: 2, arbitrary: role.map((from) => (network: BadNetwork) => network.end(from).rekey()) },
    {
      weight: 8,
      arbitrary: fc.tuple(role, choice).map(
        ([to, which]) =>
          (network: BadNetwork) =>
            network.deliver(to, which),
      ),
    },
    { weight: 3, arbitrary: role.map((from) => (network: BadNetwork) => network.end(from).repeat()) },
    {
      weight: 2,
      arbitrary: fc.tuple(role, choice).map(
        ([to, which]) =>
          (network: BadNetwork) =>
            network.duplicate(to, which),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(role, choice).map(
        ([to, which]) =>
          (network: BadNetwork) =>
            network.lose(to, which),
      ),
    },
    {
      weight: 1,
      arbitrary: role.map((to) => (network: BadNetwork) => void (network.end(to).hasRoom = !network.end(to).hasRoom)),
    },
  );

  it('deliver every message exactly once and in order, and seal nothing twice with a key and number, however they rekey', () => {
    let [rekeyings, seals] = [0, 0];
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
        const network = new BadNetwork();
        operations.forEach((operate, at) => operate(network, at));
        network.expectWhole();
        rekeyings += network.end('client').rekeyings.length;
        seals += network.seals;
      }),
      { numRuns: 200 },
    );
    expect(rekeyings).toBeGreaterThan(200);
    expect(seals).toBeGreaterThan(5_000);
  }, 60_000);

  it('stay whole over a long session with more than a hundred rekeyings from both sides', () => {
    const network = new BadNetwork();
    for (let round = 0; round < 400; round++) {
      for (const from of ROLES) {
        network.end(from).send(pattern((round * 37) % 1_200, round));
        if ((round + from.length) % 3 === 0) network.end(from).rekey();
        network.lose(from, round % 5);
        network.duplicate(from, round % 3);
        for (let count = 0; count < (round * 7) % 9; count++) network.deliver(from, (round * 11 + count) % 4);
        network.end(from).repeat();
      }
    }
    network.expectWhole();
    const { rekeyings } = network.end('client');
    expect(rekeyings.length).toBeGreaterThan(100);
    expect(new Set(rekeyings).size).toBe(2);
  });
});
