import { describe, expect, it } from '@jest/globals';
import { PacketType, type ErrorOrigin } from '../../../src/protocol/index.js';
import { pattern, type Role } from '../pair.js';
import { DatagramEnds, nameOf, type DatagramEnd } from './datagram-ends.js';
import { datagramPair, fateOf, open, peerOf, ROLES, sealOne, take } from './datagram-pair.js';
import { toyCrypto } from './toy-crypto.js';

const otherSide = (origin: ErrorOrigin): ErrorOrigin => (origin === 'local' ? 'remote' : 'local');
const digits = (messages: readonly Uint8Array[]): string[] => messages.map(nameOf);

describe('two REKEYs that cross', () => {
  it("end in the client's keys: it drops the server's without an acknowledgement, and the server takes the client's", () => {
    const { client, server } = datagramPair();
    const [fromClient, fromServer] = [client.sealRekey(), server.sealRekey()];
    expect(fateOf(client, fromServer.datagram)).toBe('crossing-rekey');
    expect(open(server, fromClient.datagram)).toMatchObject({
      outcome: 'taken',
      frame: { type: PacketType.REKEY, rekeyedBy: ['remote'] },
      acknowledgement: fromClient.acknowledgements[0],
    });
    expect([client.rekeyOutstanding, server.rekeyOutstanding]).toEqual([true, false]);
    client.rekeyAcknowledged();
    expect(fateOf(client, fromServer.datagram)).toBe('crossing-rekey');
    // An acknowledgement of its own would come too late for the server.
    server.rekeyAcknowledged();
    expect(take(server, client.sealControl(PacketType.PING).datagram).rekeyedBy).toEqual([]);
    expect(take(client, server.sealControl(PacketType.PONG).datagram).rekeyedBy).toEqual(['local']);
    expect(fateOf(client, fromServer.datagram)).toBe('not-authentic');
    expect([client.rekeyPending, server.rekeyPending]).toEqual([false, false]);
  });

  it.each(ROLES)('lose nothing that the %s had in flight under the old keys', (role) => {
    const pair = datagramPair();
    const old = sealOne(pair[role], pattern(9, 1));
    const [fromClient, fromServer] = [pair.client.sealRekey(), pair.server.sealRekey()];
    fateOf(pair.client, fromServer.datagram);
    if (role === 'server') take(pair.server, fromClient.datagram);
    expect(open(pair[peerOf(role)], old.datagram)).toMatchObject({
      outcome: 'taken',
      acknowledgement: old.acknowledgements[0],
    });
  });
});

type Act = (end: DatagramEnd) => void;
const rekey: Act = (end) => end.rekey();
const send =
  (bytes: number): Act =>
  (end) =>
    end.send(pattern(bytes, end.sent.length));

/** An end does the next thing of its script, or reads datagram number `at` of all that its peer has transmitted. */
type Event = { readonly to: Role; readonly reads?: number };

/**
 * The worst network there is: every datagram that was ever transmitted arrives at any time, in any order, as often as it likes,
 * or never. Loss, duplication and reordering are all in it.
 */
class World {
  readonly ends: DatagramEnds;
  readonly #scripts: Readonly<Record<Role, Act[]>>;
  readonly #transmitted: Readonly<Record<Role, Map<string, Uint8Array>>> = { client: new Map(), server: new Map() };
  /** All transmissions, in order. */
  readonly #carried: Uint8Array[] = [];

  constructor(scripts: Readonly<Record<Role, readonly Act[]>>, path: readonly Event[]) {
    this.ends = new DatagramEnds((from, datagram) => {
      this.#carried.push(datagram);
      this.#transmitted[from].set(nameOf(datagram), datagram);
    }, toyCrypto);
    this.#scripts = { client: [...scripts.client], server: [...scripts.server] };
    for (const event of path) this.happen(event);
  }

  get possible(): Event[] {
    return ROLES.flatMap((to) => [
      ...(this.#scripts[to].length > 0 ? [{ to }] : []),
      ...Array.from({ length: this.#transmitted[peerOf(to)].size }, (_, reads) => ({ to, reads })),
    ]);
  }

  /** What every later event depends on, and nothing else: what was read without an effect is not in it. */
  get state(): string {
    return ROLES.map((role) => this.ends.end(role).history.join()).join(' | ');
  }

  get transmissions(): number {
    return this.#transmitted.client.size + this.#transmitted.server.size;
  }

  happen({ to, reads }: Event): void {
    const end = this.ends.end(to);
    if (reads === undefined) this.#scripts[to].shift()!(end);
    else end.take([...this.#transmitted[peerOf(to)].values()][reads]!);
  }

  /** Where everything else was lost: an end repeats what it has outstanding, and its acknowledgement arrives. */
  repeat(role: Role): void {
    const { outstanding } = this.ends.end(role);
    if (!outstanding) return;
    const before = this.#carried.length;
    this.ends.end(peerOf(role)).take(outstanding);
    const acknowledgement = this.#carried[before];
    if (acknowledgement) this.ends.end(role).take(acknowledgement);
  }
}

/** Whether a world goes on by what stop-and-wait repeats alone. */
function goesOn(world: World): boolean {
  const { state } = world;
  for (const role of ROLES) world.repeat(role);
  return world.state !== state;
}

function expectWhole(world: World): void {
  const { client, server } = world.ends;
  expect([client.isIdle, server.isIdle]).toEqual([true, true]);
  client.send(pattern(3, 100));
  server.send(pattern(3, 101));
  while (goesOn(world));
  expect([client.channel.rekeyPending, server.channel.rekeyPending]).toEqual([false, false]);
  expect(digits(server.received)).toEqual(digits(client.sent));
  expect(digits(client.received)).toEqual(digits(server.sent));
  expect(server.rekeyings).toEqual(client.rekeyings.map(otherSide));
}

/** Visits every state that can be reached; returns how many there are. */
function explore(scripts: Readonly<Record<Role, readonly Act[]>>): number {
  const seen = new Set<string>();
  const open: Event[][] = [[]];
  for (let path = open.pop(); path; path = open.pop()) {
    let world = new World(scripts, path);
    const { state, transmissions, possible } = world;
    let acts = 0;
    for (const event of possible) {
      world.happen(event);
      if (world.state === state) continue;
      if (event.reads === undefined) acts++;
      if (!seen.has(world.state)) open.push([...path, event]);
      seen.add(world.state);
      world = new World(scripts, path);
    }
    // What has no effect but an acknowledgement got the same one as before.
    if (world.transmissions !== transmissions) throw new Error('a datagram was acknowledged in two ways');
    if (acts === 0 && !goesOn(world)) expectWhole(world);
  }
  return seen.size;
}

describe('in every order in which datagrams can arrive, get lost and come again, both ends agree on keys and lose nothing:', () => {
  const scripts: readonly [string, Readonly<Record<Role, readonly Act[]>>][] = [
    ['both rekey', { client: [rekey], server: [rekey] }],
    ['both rekey, and the client sends under its new keys', { client: [rekey, send(3)], server: [rekey] }],
    ['both rekey, and the server has a message outstanding', { client: [rekey], server: [send(3), rekey] }],
    ['the client rekeys while the server has fragments outstanding', { client: [rekey], server: [send(900)] }],
    ['the server rekeys while the client has fragments outstanding', { client: [send(900)], server: [rekey] }],
  ];
  it.each(scripts)(
    '%s',
    (_name, acts) => {
      expect(explore(acts)).toBeGreaterThan(500);
    },
    60_000,
  );
});
