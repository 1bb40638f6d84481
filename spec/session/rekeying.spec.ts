import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../src/crypto/node.js';
import { PacketType } from '../../src/protocol/index.js';
import type { UsmpSession } from '../../src/session/usmp-session.js';
import { text } from '../../src/testing/index.js';
import { SealLedger } from '../protocol/seal-ledger.js';
import { sessionInTime, watch } from './marbles.js';
import { sessionPair } from './session-pair.js';

/** Numbers that a session receives, in order. */
function numbersOf(session: UsmpSession): number[] {
  const numbers: number[] = [];
  session.messages$.subscribe((message) => numbers.push(Number(text(message))));
  return numbers;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('rekey', () => {
  it('resolves when the first frame under the new keys has come', async () => {
    const { session, time } = sessionInTime({ latencyMs: 20 });
    const events: string[] = [];
    session.events$.subscribe((event) =>
      events.push(event.type === 'rekeyed' ? `rekeyed ${event.initiator}` : event.type),
    );
    const rekeyed = watch(session.rekey());
    await time.advance(39);
    expect(rekeyed.state()).toBe('pending');
    await time.advance(1);

    expect(rekeyed.state()).toBe('resolved');
    expect(events).toEqual(['rekeyed local', 'pong']);
  });

  it('is shared by calls while one is under way', async () => {
    const { session, time } = sessionInTime({ latencyMs: 20 });
    const frames: number[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(type));
    const calls = [watch(session.rekey())];
    await time.advance(10);
    calls.push(watch(session.rekey()));
    await time.advance(30);

    expect(calls.map((call) => call.state())).toEqual(['resolved', 'resolved']);
    expect(frames).toEqual([PacketType.REKEY, PacketType.PING]);
  });

  it('can be given up by its AbortSignal; the keys change all the same', async () => {
    const { session, time } = sessionInTime();
    const giveUp = new AbortController();
    const rekeyed = watch(session.rekey({ signal: giveUp.signal }));
    giveUp.abort();
    const events: string[] = [];
    session.events$.subscribe(({ type }) => events.push(type));
    await time.advance();

    expect(rekeyed.state()).toBe('rejected ABORTED');
    expect(events).toContain('rekeyed');
  });

  it('waits for a transport that is congested, and leaves before the messages that wait', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    const frames: number[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(type));
    session.peer.stopReading();
    void session.send('a');
    await time.advance();
    void session.send('b');
    const rekeyed = watch(session.rekey());
    await time.advance(1_000);
    session.peer.resumeReading();
    await time.advance();

    expect(rekeyed.state()).toBe('resolved');
    expect(frames).toEqual([PacketType.DATA, PacketType.REKEY, PacketType.PING, PacketType.DATA]);
  });
});

describe('automatic rekeying', () => {
  it('happens after rekey.everyFrames frames that were sent', async () => {
    const { client, server, time } = sessionPair({ client: { rekey: { everyFrames: 100 } } });
    const numbers = numbersOf(server);
    const rekeyedAfter: number[] = [];
    client.events$.subscribe(({ type }) => type === 'rekeyed' && rekeyedAfter.push(numbers.length));
    for (const n of upTo(250)) {
      void client.send(`${n}`);
      await time.advance(20);
    }

    expect(rekeyedAfter).toEqual([100, 199]);
    expect(numbers).toEqual(upTo(250));
  });

  it('does not begin while the session closes, whatever still comes', async () => {
    const { client, server, time } = sessionPair({
      highWaterMarkBytes: 1,
      client: { rekey: { everyFrames: 10 } },
      server: { maxInboxMessages: 1 },
    });
    const rekeyed: unknown[] = [];
    server.events$.subscribe(({ type }) => {
      if (type === 'rekeyed') rekeyed.push(type);
    });
    client.messages$.subscribe();
    // The server does not read on, so the client's BYE has to wait.
    for (const text of ['taken', 'sent', 'waits']) {
      void client.send(text);
      await time.advance();
    }
    void client.bye();
    for (let n = 0; n < 20; n++) {
      void server.send('still coming');
      await time.advance();
    }
    server.messages$.subscribe();
    await time.advance(10_000);

    expect([rekeyed, client.closeInfo, server.closeInfo]).toEqual([[], { origin: 'local' }, { origin: 'remote' }]);
  });

  it('happens after rekey.everyFrames frames that were received', async () => {
    const { client, server, time } = sessionPair({ client: { rekey: { everyFrames: 100 } } });
    const numbers = numbersOf(client);
    let rekeyed = 0;
    client.events$.subscribe(({ type }) => type === 'rekeyed' && rekeyed++);
    for (const n of upTo(150)) void server.send(`${n}`);
    await time.advance(100);

    expect(rekeyed).toBe(1);
    expect(numbers).toEqual(upTo(150));
  });

  it('happens every rekey.everyMs, counted from when the keys were new, whoever made them so', async () => {
    const { session, time } = sessionInTime({ rekey: { everyMs: 60_000 } });
    const times: number[] = [];
    session.events$.subscribe(({ type }) => type === 'rekeyed' && times.push(time.frame));
    await time.advance(150_000);
    session.peer.rekey();
    await time.advance(100_000);

    expect(times).toEqual([60_000, 120_000, 150_000, 210_000]);
  });

  it('does not happen while the session closes', async () => {
    const { session, time } = sessionInTime({ rekey: { everyMs: 100 }, latencyMs: 1_000 });
    const frames: number[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(type));
    void session.bye();
    await time.advance(10_000);

    expect(frames).toEqual([PacketType.BYE]);
  });
});

describe('rekeying while both sides send at full speed', () => {
  const traffic = { latencyMs: 7, chunkBytes: 501, highWaterMarkBytes: 4_000 };

  it.each(['client', 'server', 'both'] as const)('loses nothing when it is started by %s', async (who) => {
    const ledger = new SealLedger();
    const { client, server, time } = sessionPair({ ...traffic, crypto: ledger.watch(nodeCrypto) });
    const [atServer, atClient] = [numbersOf(server), numbersOf(client)];
    let rekeyed = 0;
    for (const n of upTo(1_500)) {
      void client.send(`${n}`);
      void server.send(`${n}`);
      if (n % 150 === 75) {
        if (who !== 'server') void client.rekey().then(() => rekeyed++);
        if (who !== 'client') void server.rekey().then(() => rekeyed++);
      }
      if (n % 10 === 0) await time.advance(n % 50);
    }
    await time.advance(20_000);

    expect(atServer).toEqual(upTo(1_500));
    expect(atClient).toEqual(upTo(1_500));
    expect(rekeyed).toBe(who === 'both' ? 20 : 10);
    expect(ledger.seals).toBeGreaterThan(3_000);
  });

  it('loses nothing with automatic rekeying on both sides', async () => {
    const rekey = { everyFrames: 50, everyMs: 333 };
    const { client, server, time } = sessionPair({ ...traffic, client: { rekey }, server: { rekey } });
    const [atServer, atClient] = [numbersOf(server), numbersOf(client)];
    for (const n of upTo(2_000)) {
      void client.send(`${n}`);
      void server.send(`${n}`);
      if (n % 5 === 0) await time.advance(n % 60);
    }
    await time.advance(1_000);

    expect(atServer).toEqual(upTo(2_000));
    expect(atClient).toEqual(upTo(2_000));
  });

  it('loses nothing with a peer that switches at once, when we start it', async () => {
    const { session, time } = sessionInTime({ ...traffic, peer: { switchKeysAtOnce: true } });
    const [atPeer, atUs]: [number[], number[]] = [[], []];
    session.peer.messages$.subscribe((message) => atPeer.push(Number(text(message))));
    session.messages$.subscribe((message) => atUs.push(Number(text(message))));
    let rekeyed = 0;
    for (const n of upTo(1_000)) {
      void session.send(`${n}`);
      session.peer.send(`${n}`);
      if (n % 100 === 50) void session.rekey().then(() => rekeyed++);
      if (n % 10 === 0) await time.advance(30);
    }
    await time.advance(20_000);

    expect(atPeer).toEqual(upTo(1_000));
    expect(atUs).toEqual(upTo(1_000));
    expect(rekeyed).toBeGreaterThan(0);
    expect(session.peer.state).toBe('open');
  });

  it('loses nothing when such a peer starts it while nothing of ours is under way', async () => {
    const { session, time } = sessionInTime({ latencyMs: 7 });
    const atUs: number[] = [];
    session.messages$.subscribe((message) => atUs.push(Number(text(message))));
    for (const n of upTo(20)) {
      session.peer.send(`${n}`);
      if (n % 5 !== 0) continue;
      session.peer.rekey();
      session.peer.send(`${n}`);
      await time.advance(14);
    }
    const sent = watch(session.send('under the new keys'));
    await time.advance(14);

    expect(atUs).toEqual(upTo(20).flatMap((n) => (n % 5 === 0 ? [n, n] : [n])));
    expect(sent.state()).toBe('resolved');
    expect(session.peer.state).toBe('open');
  });

  it('loses nothing with a simulated peer that does it as we do, also where both start it at once', async () => {
    for (const latencyMs of [0, 3, 10]) {
      const { session, time } = sessionInTime({ latencyMs, chunkBytes: 100, peer: { switchKeysAtOnce: false } });
      const [atPeer, atUs]: [number[], number[]] = [[], []];
      session.peer.messages$.subscribe((message) => atPeer.push(Number(text(message))));
      session.messages$.subscribe((message) => atUs.push(Number(text(message))));
      for (const n of upTo(200)) {
        void session.send(`${n}`);
        session.peer.send(`${n}`);
        if (n % 40 === 20) {
          void session.rekey();
          session.peer.rekey();
        }
        await time.advance(n % 40 === 39 ? 5_000 : n % 4);
      }
      await time.advance(5_000);

      expect(atPeer).toEqual(upTo(200));
      expect(atUs).toEqual(upTo(200));
    }
  });
});
