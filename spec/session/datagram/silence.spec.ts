import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../../src/protocol/index.js';
import { bytes } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { losesAll } from './datagram-line.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { textsOf } from './observed.js';

describe('idleTimeoutMs', () => {
  it('ends the session with TIMEOUT_IDLE when no authentic frame came for this long', async () => {
    const { session, peer, line, time } = sessionByHand({ idleTimeoutMs: 1_000 });
    await time.advance(900);
    peer.send(PacketType.PONG);
    await time.advance(999);
    expect(session.closeInfo).toBeUndefined();
    await time.advance(1);

    expect(session.closeInfo).toMatchObject({
      origin: 'remote',
      error: { name: 'TimeoutError', code: 'TIMEOUT_IDLE' },
    });
    expect(line.server.state).toBe('destroyed');
    expect(time.actions).toEqual([]);
  });

  it.each<[string, (frame: Uint8Array) => Uint8Array]>([
    ['forged', (frame) => frame.map((byte, at) => (at === frame.length - 1 ? byte ^ 1 : byte))],
    ['malformed', () => pattern(40, 1)],
    ['replayed', (frame) => frame],
  ])('is not put off by what is %s', async (_, forge) => {
    const { session, peer, time } = sessionByHand({ idleTimeoutMs: 1_000 });
    textsOf(session);
    const frame = peer.send(PacketType.DATA, bytes('recorded'));
    for (let n = 0; n < 9; n++) {
      await time.advance(100);
      peer.sendRaw(forge(frame));
    }
    await time.advance(100);

    expect(session.closeInfo).toMatchObject({ error: { code: 'TIMEOUT_IDLE' } });
  });
});

describe('recv with timeoutMs', () => {
  it('waits for as long as authentic frames come', async () => {
    const { session, peer, time } = sessionByHand();
    const waiting = watch(session.recv({ timeoutMs: 1_000 }));
    for (let n = 0; n < 5; n++) {
      await time.advance(900);
      peer.send(PacketType.PING);
    }
    await time.advance(999);
    expect(waiting.state()).toBe('pending');
    await time.advance(1);

    expect(waiting.state()).toBe('rejected TIMEOUT_RECV');
  });

  it('is not put off by an outsider who replays what it recorded', async () => {
    const { session, peer, time } = sessionByHand();
    const recorded = peer.send(PacketType.PING);
    await time.advance();
    const waiting = watch(session.recv({ timeoutMs: 1_000 }));
    for (let n = 0; n < 10; n++) {
      await time.advance(100);
      peer.sendRaw(recorded);
    }
    await time.advance();

    expect(waiting.state()).toBe('rejected TIMEOUT_RECV');
  });
});

describe('keepaliveMs', () => {
  it('sends PING when nothing was sent, or nothing heard, for this long', async () => {
    const { session, peer, line, time } = sessionByHand({ keepaliveMs: 1_000 });
    await time.advance(500);
    void session.send('x');
    await time.advance(3_000);

    expect(peer.frames).toEqual(['DATA 1', 'PING 0', 'PING 0', 'PING 0']);
    const pingsMs = line.times.filter((_, at) => line.log[at]?.startsWith('< PING'));
    expect(pingsMs).toEqual([1_000, 2_000, 3_000]);
  });

  it('finds a dead peer: the PING that nobody acknowledges ends the session', async () => {
    const { session, line, time } = sessionByHand({ keepaliveMs: 1_000 });
    line.loses = losesAll;
    await time.advance(13_499);
    expect(session.closeInfo).toBeUndefined();
    await time.advance(1);

    expect(session.closeInfo).toMatchObject({ error: { code: 'TIMEOUT_ACKNOWLEDGEMENT' } });
    expect(time.actions).toEqual([]);
  });

  it('keeps both sides alive', async () => {
    const idleTimeoutMs = 3_000;
    const { client, server, time } = datagramPair({
      client: { keepaliveMs: 1_000, idleTimeoutMs },
      server: { idleTimeoutMs },
    });
    await time.advance(60_000);

    expect([client.closeInfo, server.closeInfo]).toEqual([undefined, undefined]);
  });
});

describe('ping', () => {
  it('resolves with the time from its sealing to the PONG', async () => {
    const { client, line, time } = datagramPair({ delayMs: 10 });
    const [first, shared] = [watch(client.ping()), watch(client.ping())];
    await time.advance(20);

    expect([first.state(), shared.state()]).toEqual(['resolved 20', 'resolved 20']);
    expect(line.log).toEqual(['> PING 0', '< UTACK PING 0', '< PONG 0', '> UTACK PONG 0']);
  });

  it('is paced: never more than 3 control frames of our own in 2 s', async () => {
    const { session, peer, line, time } = sessionByHand();
    const again = (): void => void session.ping().then(again, () => {});
    peer.acknowledges = true;
    again();
    for (let n = 0; n < 100; n++) {
      await time.advance(100);
      peer.send(PacketType.PONG);
      if (n % 8 === 0) peer.send(PacketType.DATA, bytes('x'));
    }
    const pingsMs = line.times.filter((_, at) => line.log[at]?.startsWith('< PING'));

    expect(pingsMs.length).toBeGreaterThan(10);
    for (const [n, sentMs] of pingsMs.slice(3).entries()) expect(sentMs - pingsMs[n]!).toBeGreaterThanOrEqual(2_000);
  });
});
