import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../../src/protocol/index.js';
import { bytes, text } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { losesAll } from './datagram-line.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { eventsOf, textsOf } from './observed.js';

describe('who is told that a message was sent, within the call', () => {
  it('may send the next one, and the order stays', async () => {
    const { client, server, time } = datagramPair();
    const received = textsOf(server);
    const sendNext = (n: number): void => {
      client.enqueue(`${n}`, () => {
        if (n < 5) sendNext(n + 1);
      });
    };
    sendNext(0);
    await time.advance(1_000);

    expect(received).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('may say BYE, with messages still waiting', async () => {
    const { client, server, time } = datagramPair();
    const received = textsOf(server);
    client.enqueue('a', () => void client.bye());
    const waiting = watch(client.send('b'));
    await time.advance(1_000);

    expect(received).toEqual(['a', 'b']);
    expect(waiting.state()).toBe('resolved');
    expect(client.closeInfo).toEqual({ origin: 'local' });
  });

  it('may ping and rekey', async () => {
    const { session, peer, time } = sessionByHand({ delayMs: 1 });
    session.enqueue('a', () => {
      void session.rekey();
      void session.ping();
    });
    void session.send('b');
    await time.advance(3);

    expect(peer.frames).toEqual(['DATA 1', 'REKEY 32']);
  });

  it('that it was lost, is refused whatever it calls, and each message is settled once', async () => {
    const { session, line, time } = sessionByHand();
    line.loses = losesAll;
    const settled: string[] = [];
    const again = (name: string): void => {
      session.enqueue(name, (error, unsent) => {
        settled.push(`${name} ${error?.code} ${unsent ? text(unsent) : 'perhaps sent'}`);
        void session.bye();
        if (!name.includes('again')) again(`${name} again`);
      });
    };
    for (const name of ['a', 'b']) again(name);
    await time.advance(12_500);

    expect(settled).toEqual([
      'a TIMEOUT_ACKNOWLEDGEMENT perhaps sent',
      'a again CLOSED_BEFORE_SEND perhaps sent',
      'b CLOSED_BEFORE_SEND b',
      'b again CLOSED_BEFORE_SEND perhaps sent',
    ]);
  });
});

describe('a handler of messages$', () => {
  it('may answer at once, and its answers leave in order', async () => {
    const { client, server, time } = datagramPair();
    const received = textsOf(client);
    server.messages$.subscribe((message) => void server.send(`re ${text(message)}`));
    for (const message of ['a', 'b', 'c']) void client.send(message);
    await time.advance(1_000);

    expect(received).toEqual(['re a', 're b', 're c']);
  });

  it('may say BYE at once: its message was acknowledged, what comes after is not', async () => {
    const { client, server, time } = datagramPair();
    const received: string[] = [];
    server.messages$.subscribe((message) => {
      received.push(text(message));
      void server.bye();
    });
    const sends = ['a', 'b'].map((message) => watch(client.send(message)));
    await time.advance(1_000);

    expect(received).toEqual(['a']);
    expect(sends.map((send) => send.state())).toEqual(['resolved', 'rejected CLOSED_BY_BYE']);
    expect([client.closeInfo, server.closeInfo]).toEqual([{ origin: 'remote' }, { origin: 'local' }]);
  });

  it('may close the session at once, with what waits', async () => {
    const { session, peer, line, time } = sessionByHand();
    session.messages$.subscribe({ next: () => session.beginClose(0), error: () => {} });
    peer.acknowledges = false;
    const sent = watch(session.send('under way'));
    peer.send(PacketType.DATA, bytes('x'));
    await time.advance();

    expect(sent.state()).toBe('rejected TIMEOUT_SEND');
    expect(line.server.state).toBe('destroyed');
    expect(time.actions).toEqual([]);
  });

  it('may unsubscribe at once, and the next consumer goes on', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 1 } });
    const first: string[] = [];
    const subscription = server.messages$.subscribe((message) => {
      first.push(text(message));
      subscription.unsubscribe();
    });
    for (const message of ['a', 'b', 'c']) void client.send(message);
    await time.advance(1_000);
    const rest = textsOf(server);
    await time.advance(2_000);

    expect([first, rest]).toEqual([['a'], ['b', 'c']]);
  });
});

describe('a handler of events$', () => {
  it.each(['message', 'sent', 'ping', 'pong', 'rekeyed', 'dropped', 'send-refused'] as const)(
    'may say BYE, send, ping and rekey at %s',
    async (trigger) => {
      const { session, peer, time } = sessionByHand({ maxInboxMessages: 2, maxOutboxBytes: 10 });
      const events = eventsOf(session);
      session.events$.subscribe(({ type }) => {
        if (type !== trigger || !session.isOpen) return;
        void session.send('again');
        void session.ping();
        void session.rekey();
        void session.bye();
      });
      for (const message of ['x', pattern(20, 1)]) void session.send(message);
      void session.ping();
      for (const message of ['a', 'b', 'c']) peer.send(PacketType.DATA, bytes(message));
      await time.advance();
      for (const type of [PacketType.PING, PacketType.PONG]) peer.send(type);
      await time.advance();
      peer.send(PacketType.REKEY, pattern(32, 1));
      await time.advance(20_000);

      expect(events).toContainEqual(expect.stringMatching(new RegExp(`^${trigger}`)));
      expect(session.closeInfo).toBeDefined();
      expect(events.filter((event) => event.startsWith('closed'))).toHaveLength(1);
      expect(events.at(-1)).toMatch(/^closed/);
      expect(time.actions).toEqual([]);
    },
  );

  it('may close the session at once at any event, and hears nothing after closed', async () => {
    for (const trigger of ['message', 'sent', 'ping', 'rekeyed', 'dropped'] as const) {
      const { session, peer, time } = sessionByHand({ maxInboxMessages: 1 });
      const events = eventsOf(session);
      session.events$.subscribe(({ type }) => {
        if (type === trigger) session.beginClose(0);
      });
      peer.acknowledges = false;
      void session.send('x');
      for (const message of ['a', 'b']) peer.send(PacketType.DATA, bytes(message));
      peer.send(PacketType.PING);
      peer.send(PacketType.REKEY, pattern(32, 1));
      await time.advance();

      expect(events.at(-1)).toMatch(/^closed/);
      expect(time.actions).toEqual([]);
    }
  });
});

describe('taking a message back', () => {
  it('twice, or after the end, has no effect', async () => {
    const { session, peer, time } = sessionByHand();
    peer.acknowledges = false;
    void session.send('outstanding');
    const settled: unknown[] = [];
    const takeBack = session.enqueue('waits', (error) => settled.push(error?.code));
    takeBack();
    takeBack();
    await time.advance(20_000);
    takeBack();

    expect(settled).toEqual([]);
  });
});
