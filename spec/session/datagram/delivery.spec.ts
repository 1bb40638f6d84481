import { describe, expect, it } from '@jest/globals';
import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { encodeAcknowledgement, sealAcknowledgement } from '../../../src/protocol/datagram/acknowledgement.js';
import { encodeFrame, PacketType } from '../../../src/protocol/index.js';
import { Delivery } from '../../../src/session/datagram/delivery.js';
import { bytes, VirtualTime } from '../../../src/testing/index.js';
import { losesFirst } from '../../testing/datagram-setting.js';
import { pattern, SERVER_TO_CLIENT_KEY } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { datagramLine, losesAll, losesNamed } from './datagram-line.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { dropsOf, textsOf } from './observed.js';

describe('send', () => {
  it('resolves when the last frame of the message is acknowledged', async () => {
    const { client, server, line, time } = datagramPair({ delayMs: 10 });
    const sent = watch(client.send(pattern(1_000, 1)));
    await time.advance(59);
    expect(sent.state()).toBe('pending');
    await time.advance(1);

    expect(sent.state()).toBe('resolved');
    expect(await server.recv()).toEqual(pattern(1_000, 1));
    expect(line.log).toEqual([
      '> DATA_FRAG 0',
      '< UTACK DATA_FRAG 0',
      '> DATA_FRAG 1',
      '< UTACK DATA_FRAG 1',
      '> DATA 2',
      '< UTACK DATA 2',
    ]);
  });

  it('has one frame outstanding, however many messages wait', async () => {
    const { client, line, time } = datagramPair({ delayMs: 10 });
    const sends = ['a', 'b', 'c'].map((message) => watch(client.send(message)));
    await time.advance(19);
    expect(line.log).toEqual(['> DATA 0', '< UTACK DATA 0']);
    await time.advance(1);
    expect(sends.map((send) => send.state())).toEqual(['resolved', 'pending', 'pending']);
    expect(line.log.at(-1)).toBe('> DATA 1');
  });

  it('carries an empty message as one DATA', async () => {
    const { client, server, time } = datagramPair();
    const sent = watch(client.send(''));
    await time.advance(20);

    expect(sent.state()).toBe('resolved');
    expect(await server.recv()).toEqual(new Uint8Array(0));
  });
});

describe('a frame that is not acknowledged', () => {
  it('is sent 5 times, after waits of 500, 1000, 2000 and 4000 ms, and given up 5000 ms later', async () => {
    const { session, line, time } = sessionByHand();
    line.loses = losesAll;
    void session.send('nobody hears this');
    await time.advance(12_499);
    expect(session.closeInfo).toBeUndefined();
    expect(line.times).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(new Set(line.datagrams.map((datagram) => datagram.join()))).toHaveProperty('size', 1);
    await time.advance(1);

    expect(session.closeInfo).toMatchObject({
      origin: 'remote',
      error: { name: 'TimeoutError', code: 'TIMEOUT_ACKNOWLEDGEMENT' },
    });
    expect(line.log).toHaveLength(5);
  });

  it('ends the session for all who wait: TIMEOUT_ACKNOWLEDGEMENT, and CLOSED_BEFORE_SEND for messages not begun', async () => {
    const { session, line, time } = sessionByHand();
    line.loses = losesAll;
    const underWay = watch(session.send(pattern(500, 1)));
    const queued = session.send('not begun');
    const waiting = [session.recv(), session.ping(), session.rekey()].map((call) => watch<unknown>(call));
    let end = '';
    session.events$.subscribe(({ type }) => (end = type));
    await time.advance(12_500);

    expect(underWay.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
    await expect(queued).rejects.toMatchObject({
      code: 'CLOSED_BEFORE_SEND',
      cause: { code: 'TIMEOUT_ACKNOWLEDGEMENT' },
    });
    expect(waiting.map((call) => call.state())).toEqual(Array(3).fill('rejected TIMEOUT_ACKNOWLEDGEMENT'));
    expect(end).toBe('closed');
    expect(line.server.state).toBe('destroyed');
    expect(time.actions).toEqual([]);
  });

  it('is repeated sooner when the peer has answered fast, which no repeated frame tells', async () => {
    const { session, line, time } = sessionByHand({ delayMs: 10 });
    await time.advance();
    line.loses = losesFirst('toClient', 'DATA 0');
    void session.send('repeated, so no sample');
    await time.advance(520);
    line.loses = losesFirst('toClient', 'DATA 1');
    void session.send('still 500');
    await time.advance(520);
    void session.send('a sample of 20 ms');
    await time.advance(20);
    line.loses = losesFirst('toClient', 'DATA 3');
    void session.send('srtt 177.5 + 4 * rttvar 120');
    await time.advance(1_000);

    const sentMs = (name: string): number[] => line.times.filter((_, at) => line.log[at] === `< ${name}`);
    expect(sentMs('DATA 0')).toEqual([0, 500]);
    expect(sentMs('DATA 1')).toEqual([520, 1_020]);
    expect(sentMs('DATA 3')).toEqual([1_060, 1_060 + 657.5]);
  });

  it('is not repeated before its time by a timer that fires early', async () => {
    const time = new VirtualTime();
    const { client, log, times } = datagramLine(time, 0);
    const early: SchedulerLike = {
      now: () => time.now(),
      schedule: <T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0) =>
        time.schedule(work, delayMs > 10 ? delayMs - 10 : delayMs),
    };
    new Delivery(client, early).send(encodeFrame(PacketType.HELLO, 0, pattern(38, 1)));
    await time.advance(4_000);

    expect(log).toEqual(Array(4).fill('> HELLO 0'));
    expect(times).toEqual([0, 500, 1_500, 3_500]);
  });

  it('may come through at any attempt, and the next message begins anew', async () => {
    const { client, server, line, time } = datagramPair();
    const received = textsOf(server);
    line.loses = losesFirst('toServer', 'DATA 0', 4);
    const sends = [watch(client.send('at the fifth')), watch(client.send('at the fourth'))];
    await time.advance(7_520);
    expect(sends.map((send) => send.state())).toEqual(['resolved', 'pending']);
    line.loses = losesFirst('toServer', 'DATA 1', 3);
    await time.advance(7_520);

    expect(sends[1]?.state()).toBe('resolved');
    expect(received).toEqual(['at the fifth', 'at the fourth']);
  });
});

describe('a frame whose acknowledgement is lost', () => {
  it('comes again, is acknowledged again, and is not delivered again', async () => {
    const { client, server, line, time } = datagramPair();
    const received = textsOf(server);
    line.loses = losesFirst('toClient', 'UTACK DATA 0', 2);
    const sent = watch(client.send('once'));
    await time.advance(2_000);

    expect(sent.state()).toBe('resolved');
    expect(received).toEqual(['once']);
    expect(line.log).toEqual(Array(3).fill(['> DATA 0', '< UTACK DATA 0']).flat());
  });

  it('was delivered, though its sender is told TIMEOUT_ACKNOWLEDGEMENT', async () => {
    const { client, server, line, time } = datagramPair();
    const received = textsOf(server);
    line.loses = losesNamed('UTACK DATA 0');
    const sent = watch(client.send('once'));
    await time.advance(15_000);

    expect(sent.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
    expect(received).toEqual(['once']);
    expect(server.closeInfo).toBeUndefined();
  });
});

describe('an old frame that comes once more', () => {
  it('is acknowledged with the same bytes, and has no other effect and no event', async () => {
    const { session, peer, line, time } = sessionByHand();
    const received = textsOf(session);
    const events: string[] = [];
    session.events$.subscribe(({ type }) => events.push(type));
    const frames = ['a', 'b', 'c'].map((message) => peer.send(PacketType.DATA, bytes(message)));
    const ping = peer.send(PacketType.PING);
    await time.advance();
    expect(events).toEqual(['message', 'message', 'message', 'ping']);
    const acknowledgements = line.datagrams.filter((datagram) => datagram[0] === 0xac);
    const firstAgain = line.datagrams.length;
    for (const frame of [...frames, ping]) peer.sendRaw(frame);
    await time.advance();

    const again = line.datagrams.slice(firstAgain + 4);
    expect(again).toEqual(acknowledgements.filter((_, at) => at !== 4));
    expect(received).toEqual(['a', 'b', 'c']);
    expect(events).toHaveLength(4);
  });
});

describe('an acknowledgement', () => {
  it('is believed only with the key of the frame, its type and its number; all others are stray', async () => {
    const { session, peer, line, time } = sessionByHand();
    const drops = dropsOf(session);
    peer.acknowledges = false;
    const sent = watch(session.send('acknowledge this'));
    await time.advance();
    const right = peer.acknowledgementOf(line.datagrams[0]!);
    const forged = [
      right.subarray(0, 7),
      Uint8Array.from(right, (byte, at) => (at === 14 ? byte ^ 1 : byte)),
      peer.acknowledgementOf(line.datagrams[0]!, pattern(32, 9)),
      sealAcknowledgement(nodeCrypto, SERVER_TO_CLIENT_KEY, PacketType.DATA, 1),
      sealAcknowledgement(nodeCrypto, SERVER_TO_CLIENT_KEY, PacketType.PING, 0),
      encodeAcknowledgement(PacketType.HELLO, 0),
      Uint8Array.of(0xac, 0xac),
    ];
    for (const datagram of forged) peer.sendRaw(datagram);
    await time.advance();
    expect(sent.state()).toBe('pending');
    expect(drops).toEqual(forged.map(() => 'stray-acknowledgement'));
    peer.sendRaw(right);
    await time.advance();

    expect(sent.state()).toBe('resolved');
  });

  it('that comes twice is stray the second time, and acknowledges no other frame', async () => {
    const { session, peer, line, time } = sessionByHand();
    const drops = dropsOf(session);
    await time.advance();
    void session.send('a');
    await time.advance();
    peer.acknowledges = false;
    const second = watch(session.send('b'));
    peer.sendRaw(peer.acknowledgementOf(line.datagrams[0]!));
    await time.advance();

    expect(second.state()).toBe('pending');
    expect(drops).toEqual(['stray-acknowledgement']);
  });

  it('ends the repeating', async () => {
    const { client, server, line, time } = datagramPair();
    textsOf(server);
    void client.send('a');
    await time.advance(60_000);

    expect(line.log).toEqual(['> DATA 0', '< UTACK DATA 0']);
  });
});
