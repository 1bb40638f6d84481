import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../../src/protocol/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { eventsOf, textsOf } from './observed.js';

describe('between the fragments of a message', () => {
  it('comes nothing: no PONG, no PING, no REKEY and no other message', async () => {
    const { session, peer, time } = sessionByHand({ delayMs: 10 });
    const sends = [watch(session.send(pattern(1_808, 1))), watch(session.send('next'))];
    await time.advance(5);
    const pinged = watch(session.ping());
    const rekeyed = watch(session.rekey());
    peer.send(PacketType.PING);
    await time.advance(70);
    expect(peer.frames).toEqual(['DATA_FRAG 452', 'DATA_FRAG 452', 'DATA_FRAG 452', 'DATA 452']);
    await time.advance(40);

    expect(peer.frames.slice(4)).toEqual(['PONG 0', 'REKEY 32']);
    expect(sends.map((send) => send.state())).toEqual(['resolved', 'pending']);
    expect([pinged.state(), rekeyed.state()]).toEqual(['pending', 'pending']);
  });

  it('comes nothing either when the other side does the same at the same time', async () => {
    const { client, server, time } = datagramPair();
    const received = [[], []] as Uint8Array[][];
    client.messages$.subscribe((message) => received[0]?.push(message));
    server.messages$.subscribe((message) => received[1]?.push(message));
    const messages = Array.from({ length: 10 }, (_, n) => pattern(1_808 - n * 150, n));
    for (const message of messages) {
      for (const session of [client, server]) {
        void session.send(message);
        void session.ping();
        void session.rekey();
      }
    }
    await time.advance(10_000);

    expect(received).toEqual([messages, messages]);
  });
});

describe('control frames', () => {
  it('leave before the messages that wait', async () => {
    const { session, peer, time } = sessionByHand({ delayMs: 10 });
    for (const message of ['a', 'b', 'c']) void session.send(message);
    void session.ping();
    await time.advance(100);

    expect(peer.frames).toEqual(['DATA 1', 'PING 0', 'DATA 1', 'DATA 1']);
  });

  it('REKEY leaves with a PING after it, under the new keys', async () => {
    const { client, server, line, time } = datagramPair();
    for (const message of ['a', 'b']) void client.send(message);
    void client.rekey();
    const received = textsOf(server);
    await time.advance(200);

    expect(line.log.filter((entry) => entry.startsWith('> ') && !entry.includes('UTACK'))).toEqual([
      '> DATA 0',
      '> REKEY 1',
      '> PING 0',
      '> DATA 1',
    ]);
    expect(received).toEqual(['a', 'b']);
  });

  it('PONGs are owed at most 4 times to a peer that asks often and acknowledges slowly', async () => {
    const { session, peer, time } = sessionByHand();
    peer.acknowledges = false;
    void session.send('outstanding');
    for (let n = 0; n < 7; n++) peer.send(PacketType.PING);
    await time.advance();
    peer.acknowledges = true;
    await time.advance(2_000);

    expect(peer.frames).toEqual(['DATA 11', ...Array<string>(4).fill('PONG 0')]);
  });
});

describe('a message that waits', () => {
  it('is taken back by its AbortSignal, and no number is lost', async () => {
    const { client, server, line, time } = datagramPair();
    const received = textsOf(server);
    const giveUp = new AbortController();
    void client.send('first');
    const taken = watch(client.send('second', giveUp));
    const third = watch(client.send('third'));
    await time.advance(15);
    giveUp.abort();
    await time.advance(50);

    expect(taken.state()).toBe('rejected ABORTED');
    expect(third.state()).toBe('resolved');
    expect(received).toEqual(['first', 'third']);
    expect(line.log.filter((entry) => entry.startsWith('> '))).toEqual(['> DATA 0', '> DATA 1']);
  });

  it('that has begun is sent whole, though its caller has given it up', async () => {
    const { client, server, time } = datagramPair();
    const giveUp = new AbortController();
    const given = watch(client.send(pattern(1_000, 1), giveUp));
    await time.advance(15);
    giveUp.abort();
    await time.advance(100);

    expect(given.state()).toBe('rejected ABORTED');
    expect(await server.recv()).toEqual(pattern(1_000, 1));
  });

  it('is sent as it was at the call, whatever becomes of the array', async () => {
    const { client, server, time } = datagramPair();
    const received: Uint8Array[] = [];
    server.messages$.subscribe((message) => received.push(message));
    const array = pattern(700, 1);
    for (let n = 0; n < 3; n++) void client.send(array);
    array.fill(0);
    await time.advance(200);

    expect(received).toEqual(Array(3).fill(pattern(700, 1)));
  });
});

describe('maxOutboxBytes', () => {
  it('bounds the bytes that wait: a send beyond it is refused with OUTBOX_FULL, and the session lives', async () => {
    const { session, peer, time } = sessionByHand({ maxOutboxBytes: 1_000 });
    const events = eventsOf(session);
    peer.acknowledges = false;
    const sends = [400, 600, 400, 1, 0].map((length) => watch(session.send(pattern(length, 1))));
    await time.advance();

    expect(sends.map((send) => send.state())).toEqual([
      'pending',
      'pending',
      'pending',
      'rejected OUTBOX_FULL',
      'pending',
    ]);
    expect(events).toEqual(['sent 400', 'send-refused OUTBOX_FULL']);
    peer.acknowledges = true;
    await time.advance(1_000);

    expect(sends.map((send) => send.state())).toEqual([
      ...Array<string>(3).fill('resolved'),
      'rejected OUTBOX_FULL',
      'resolved',
    ]);
    expect(peer.frames).toEqual(['DATA 400', 'DATA_FRAG 452', 'DATA 148', 'DATA 400', 'DATA 0']);
  });

  it('has room again for what was taken back', async () => {
    const { session, peer, time } = sessionByHand({ maxOutboxBytes: 100 });
    peer.acknowledges = false;
    const giveUp = new AbortController();
    void session.send('outstanding');
    void session.send(pattern(100, 1), giveUp);
    giveUp.abort();
    const sent = watch(session.send(pattern(100, 2)));
    await time.advance();

    expect(sent.state()).toBe('pending');
  });

  it('of 0 still sends one message after the other', async () => {
    const { session, peer, time } = sessionByHand({ maxOutboxBytes: 0 });
    for (let n = 0; n < 3; n++) {
      const [sent, refused] = [watch(session.send(pattern(500, n))), watch(session.send('too early'))];
      await time.advance();
      expect([sent.state(), refused.state()]).toEqual(['resolved', 'rejected OUTBOX_FULL']);
    }

    expect(peer.frames).toHaveLength(6);
  });
});

describe('events$', () => {
  it('shows a message as sent when it is sealed, once, and before it is acknowledged', async () => {
    const { client, time } = datagramPair();
    const events = eventsOf(client);
    void client.send(pattern(1_000, 1));
    void client.send('waits');
    expect(events).toEqual(['sent 1000']);
    await time.advance(60);

    expect(events).toEqual(['sent 1000', 'sent 5']);
  });
});
