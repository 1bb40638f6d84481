import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { PacketType } from '../../../src/protocol/index.js';
import { losesFirst, type Loses } from '../../testing/datagram-setting.js';
import { pattern } from '../../protocol/pair.js';
import { SealLedger } from '../../protocol/seal-ledger.js';
import { watch } from '../marbles.js';
import { losesNamed } from './datagram-line.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { eventsOf, textsOf } from './observed.js';

const upTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`);
const any =
  (...all: readonly Loses[]): Loses =>
  (direction, datagram) =>
    all.some((loses) => loses(direction, datagram));

describe('rekey', () => {
  it('resolves when the first frame under the new keys has come', async () => {
    const { client, server, line, time } = datagramPair({ delayMs: 10 });
    const [ofClient, ofServer] = [eventsOf(client), eventsOf(server)];
    const rekeyed = watch(client.rekey());
    await time.advance(39);
    expect(rekeyed.state()).toBe('pending');
    await time.advance(1);

    expect(rekeyed.state()).toBe('resolved');
    expect(line.log.slice(0, 5)).toEqual(['> REKEY 0', '< UTACK REKEY 0', '> PING 0', '< UTACK PING 0', '< PONG 0']);
    expect(ofClient).toEqual(['rekeyed local', 'pong']);
    expect(ofServer).toEqual(['rekeyed remote', 'ping']);
  });

  it.each<[string, Loses]>([
    ['REKEY', losesFirst('toServer', 'REKEY 0', 2)],
    ['its acknowledgement', losesFirst('toClient', 'UTACK REKEY 0', 2)],
    ['the PING after it', losesFirst('toServer', 'PING 0', 2)],
    ['the answer', losesFirst('toClient', 'PONG 0', 2)],
  ])('outlives the loss of %s, with messages both ways', async (_, loses) => {
    const ledger = new SealLedger();
    const { client, server, line, time } = datagramPair({ crypto: ledger.watch(nodeCrypto) });
    line.loses = loses;
    const received = [textsOf(client), textsOf(server)];
    const rekeyed = watch(client.rekey());
    for (const message of upTo(20)) for (const session of [client, server]) void session.send(message);
    await time.advance(10_000);

    expect(rekeyed.state()).toBe('resolved');
    expect(received).toEqual([upTo(20), upTo(20)]);
  });

  it('takes a frame under the new keys for the acknowledgement of REKEY', async () => {
    const { client, server, line, time } = datagramPair();
    line.loses = losesNamed('UTACK REKEY 0');
    const rekeyed = watch(client.rekey());
    await time.advance(15);
    void server.send('under the new keys');
    await time.advance(100);

    expect(rekeyed.state()).toBe('resolved');
    expect(line.log.filter((entry) => entry === '> REKEY 0')).toHaveLength(1);
    expect(textsOf(client)).toEqual(['under the new keys']);
  });

  it('of the peer lets a message end under the keys that it began with', async () => {
    const { client, server, line, time } = datagramPair();
    const received: Uint8Array[] = [];
    server.messages$.subscribe((message) => received.push(message));
    for (let n = 0; n < 3; n++) void client.send(pattern(1_808, n));
    await time.advance(15);
    const rekeyed = watch(server.rekey());
    await time.advance(1_000);

    expect(rekeyed.state()).toBe('resolved');
    expect(received).toEqual([0, 1, 2].map((n) => pattern(1_808, n)));
    const frames = line.log.filter((entry) => entry.startsWith('> ') && !entry.includes('UTACK'));
    expect(frames.slice(0, 5)).toEqual(['> DATA_FRAG 0', '> DATA_FRAG 1', '> DATA_FRAG 2', '> DATA 3', '> PONG 0']);
  });

  it('that is repeated is acknowledged again under the old key, also when ours have changed', async () => {
    const { session, peer, line, time } = sessionByHand();
    const rekey = peer.send(PacketType.REKEY, pattern(32, 5));
    await time.advance();
    peer.sendRaw(rekey);
    await time.advance();
    const [first, again] = line.datagrams.filter((datagram) => datagram[0] === 0xac);

    expect(line.log).toEqual(['> REKEY 0', '< UTACK REKEY 0', '> REKEY 0', '< UTACK REKEY 0']);
    expect(again).toEqual(first);
    expect(session.closeInfo).toBeUndefined();
  });

  it('that is given up ends the session', async () => {
    const { session, peer, time } = sessionByHand();
    peer.acknowledges = false;
    const rekeyed = watch(session.rekey());
    await time.advance(12_500);

    expect(rekeyed.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
  });
});

describe('rekeying from both sides at once', () => {
  it.each<[string, Loses]>([
    ['nothing', () => false],
    ['REKEY of the client', losesFirst('toServer', 'REKEY 0', 2)],
    ['REKEY of the server', losesFirst('toClient', 'REKEY 0', 2)],
    ['the acknowledgement', losesFirst('toClient', 'UTACK REKEY 0', 2)],
    ['both PINGs', any(losesFirst('toServer', 'PING 0'), losesFirst('toClient', 'PING 0'))],
    ['everything once', losesEachOnce()],
  ])('loses no message, though %s is lost: the client’s stands', async (_, loses) => {
    const ledger = new SealLedger();
    const { client, server, line, time } = datagramPair({ crypto: ledger.watch(nodeCrypto) });
    line.loses = loses;
    const received = [textsOf(client), textsOf(server)];
    const rekeyed = [client, server].map((session) => watch(session.rekey()));
    for (const message of upTo(20)) for (const session of [client, server]) void session.send(message);
    await time.advance(60_000);

    expect(rekeyed.map((one) => one.state())).toEqual(['resolved', 'resolved']);
    expect(received).toEqual([upTo(20), upTo(20)]);
    expect([client.closeInfo, server.closeInfo]).toEqual([undefined, undefined]);
  });

  it('drops the server’s REKEY as crossing-rekey, unacknowledged', async () => {
    const { client, server, line, time } = datagramPair();
    const [ofClient, ofServer] = [eventsOf(client), eventsOf(server)];
    for (const session of [client, server]) void session.rekey();
    await time.advance(100);

    expect(line.log).not.toContain('> UTACK REKEY 0');
    expect(ofClient.slice(0, 2)).toEqual(['dropped crossing-rekey', 'rekeyed local']);
    expect(ofServer.filter((event) => event.startsWith('rekeyed'))).toEqual(['rekeyed remote']);
  });
});

describe('automatic rekeying', () => {
  it('happens after rekey.everyFrames, for as long as messages flow', async () => {
    const { client, server, time } = datagramPair({ client: { rekey: { everyFrames: 50 } } });
    const [received, events] = [textsOf(server), eventsOf(server)];
    for (const message of upTo(400)) {
      void client.send(message);
      await time.advance(50);
    }

    expect(received).toEqual(upTo(400));
    const rekeyed = events.filter((event) => event === 'rekeyed remote').length;
    expect(rekeyed).toBeGreaterThanOrEqual(7);
    expect(rekeyed).toBeLessThanOrEqual(8);
  });

  it('happens every rekey.everyMs', async () => {
    const { client, time } = datagramPair({ client: { rekey: { everyMs: 10_000 } } });
    const events = eventsOf(client);
    await time.advance(35_000);

    expect(events.filter((event) => event === 'rekeyed local')).toHaveLength(3);
  });

  it('of both sides loses nothing', async () => {
    const rekey = { everyFrames: 30, everyMs: 3_000 };
    const { client, server, time } = datagramPair({ client: { rekey }, server: { rekey } });
    const received = [textsOf(client), textsOf(server)];
    const events = eventsOf(client);
    for (const message of upTo(300)) {
      for (const session of [client, server]) void session.send(message);
      await time.advance(45);
    }
    await time.advance(1_000);

    expect(received).toEqual([upTo(300), upTo(300)]);
    expect(events.filter((event) => event.startsWith('rekeyed')).length).toBeGreaterThan(4);
  });
});

/** Loses the first sending of every different datagram. */
function losesEachOnce(): Loses {
  const lost = new Set<string>();
  return (direction, datagram) => {
    const name = `${direction} ${datagram.join()}`;
    if (lost.has(name)) return false;
    lost.add(name);
    return true;
  };
}
