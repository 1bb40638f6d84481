import { describe, expect, it } from '@jest/globals';
import { config, noop, tap, throwError, type Subscription } from 'rxjs';
import { concatBytes, PacketType } from '../../src/protocol/index.js';
import { bytes, text } from '../../src/testing/index.js';
import { marbles, sessionInTime, watch } from './marbles.js';

/** What reaches the event loop: rejections without a handler, and errors in or without a subscriber. */
async function unhandledDuring(run: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const last = new Error('reported after everything else');
  const lastReported = new Promise<void>((resolve) => {
    config.onUnhandledError = (error) => {
      if (error === last) resolve();
      else unhandled.push(error);
    };
  });
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  await run();
  throwError(() => last).subscribe();
  await lastReported;
  process.off('unhandledRejection', note);
  config.onUnhandledError = null;
  return unhandled;
}

describe('a handler of messages$', () => {
  it('may send, and its answers leave in order', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-(abc)--d--|');
      expectObservable(session.messages$.pipe(tap((message) => void session.send(message)))).toBe('-(abc)--d--|');
      expectObservable(session.peer.messages$).toBe('-(abc)--d');
    });
  });

  it('may say BYE: what has arrived by then is delivered, what comes after is not', async () => {
    const { session, time } = sessionInTime();
    const log: string[] = [];
    session.messages$.subscribe({
      next: (message) => {
        log.push(text(message));
        void session.bye();
      },
      complete: () => log.push('completes'),
    });
    const [a, b] = ['a', 'b'].map((message) =>
      session.peer.forge({ type: PacketType.DATA, plaintext: bytes(message) }),
    );
    session.peer.sendRaw(concatBytes(a!, b!));
    session.peer.send('c');
    await time.advance();

    expect(log).toEqual(['a', 'b', 'completes']);
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('may ping, rekey and send at once', async () => {
    const { session, time } = sessionInTime();
    const frames: number[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(type));
    const results: ReturnType<typeof watch>[] = [];
    session.messages$.subscribe(() => {
      for (const call of [session.send('x'), session.rekey(), session.ping()]) results.push(watch<unknown>(call));
    });
    session.peer.send('go');
    await time.advance();

    expect(frames).toEqual([PacketType.DATA, PacketType.REKEY, PacketType.PING]);
    expect(results.map((result) => result.state())).toEqual(['resolved', 'resolved', 'resolved 0']);
  });

  it('may unsubscribe and subscribe again and misses nothing', async () => {
    const { session, time } = sessionInTime();
    const log: string[] = [];
    let subscription: Subscription | undefined;
    const subscribe = (): void => {
      subscription = session.messages$.subscribe((message) => {
        log.push(text(message));
        subscription?.unsubscribe();
        subscribe();
      });
    };
    subscribe();
    for (const message of ['a', 'b', 'c']) session.peer.send(message);
    await time.advance();
    session.peer.send('d');
    await time.advance();

    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('that throws is reported as any error in a subscriber, and hurts neither the session nor other subscribers', async () => {
    const { session, time } = sessionInTime();
    const log: string[] = [];
    const failure = new Error('a mistake in a handler');
    const unhandled = await unhandledDuring(async () => {
      session.messages$.subscribe(() => {
        throw failure;
      });
      session.messages$.subscribe((message) => log.push(text(message)));
      for (const message of ['a', 'b']) session.peer.send(message);
      await time.advance();
    });

    expect(log).toEqual(['a', 'b']);
    expect(unhandled).toEqual([failure, failure]);
    expect(session.peer.state).toBe('open');
  });

  it('is not called within the call of send, ping or rekey', async () => {
    const { session, time } = sessionInTime();
    let calls = 0;
    session.messages$.subscribe(() => calls++);
    session.peer.messages$.subscribe(() => session.peer.send('answer'));
    void session.send('x');
    expect(calls).toBe(0);
    await time.advance();

    expect(calls).toBe(1);
  });
});

describe('a handler of events$', () => {
  it('may say BYE at any event', async () => {
    for (const trigger of ['message', 'sent', 'ping', 'pong', 'rekeyed', 'paused'] as const) {
      const { session, time } = sessionInTime({
        maxInboxMessages: trigger === 'paused' ? 2 : 100,
        peer: { switchKeysAtOnce: false },
      });
      const events: string[] = [];
      session.events$.subscribe(({ type }) => {
        events.push(type);
        if (type === trigger) void session.bye();
      });
      void session.send('x');
      void session.ping();
      session.peer.ping();
      session.peer.send('y');
      session.peer.rekey();
      session.peer.send('z');
      await time.advance(5_000);

      expect(events).toContain(trigger);
      expect(events.at(-1)).toBe('closed');
      expect(await session.closed).toEqual({ origin: 'local' });
    }
  });

  it('may send at every message that was sent, and order stays', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 50 });
    const received: string[] = [];
    session.peer.messages$.subscribe((message) => received.push(text(message)));
    let follow = 0;
    session.events$.subscribe(({ type }) => {
      if (type === 'sent' && follow < 10) void session.send(`follows ${follow++}`);
    });
    for (let n = 0; n < 5; n++) void session.send(`first ${n}`);
    await time.advance();

    expect(received.filter((message) => message.startsWith('first'))).toEqual([0, 1, 2, 3, 4].map((n) => `first ${n}`));
    expect(received.filter((message) => message.startsWith('follows'))).toEqual(
      Array.from({ length: 10 }, (_, n) => `follows ${n}`),
    );
  });

  it('at the end may call anything and only gets rejections', async () => {
    const { session, time } = sessionInTime();
    const results: ReturnType<typeof watch>[] = [];
    session.events$.subscribe(({ type }) => {
      if (type !== 'closed') return;
      for (const call of [session.send('x'), session.ping(), session.rekey(), session.recv(), session.bye()]) {
        results.push(watch<unknown>(call));
      }
    });
    session.peer.bye();
    await time.advance();

    expect(results.map((result) => result.state())).toEqual([
      'rejected CLOSED_BEFORE_SEND',
      'rejected CLOSED',
      'rejected CLOSED',
      'rejected CLOSED_BY_BYE',
      'resolved',
    ]);
  });
});

describe('an end that nobody listens to', () => {
  it('is no unhandled rejection and no unhandled error, though everything is waiting', async () => {
    const ends: ((opened: ReturnType<typeof sessionInTime>) => void)[] = [
      ({ session }) => session.peer.bye(),
      ({ session }) => session.peer.cut(),
      ({ session }) => session.peer.sendFrame({ type: PacketType.DATA, corruptTag: true }),
      ({ session }) => void session.bye(),
      noop,
    ];
    const unhandled = await unhandledDuring(async () => {
      for (const end of ends) {
        const opened = sessionInTime({ idleTimeoutMs: 1_000, highWaterMarkBytes: 1 });
        const { session, time } = opened;
        session.peer.stopReading();
        for (let n = 0; n < 3; n++) void session.send('x');
        await time.advance();
        void session.send(new Uint8Array(2_000));
        void session.send('queued');
        void session.recv();
        void session.recv({ timeoutMs: 10 });
        void session.ping();
        void session.rekey();
        session.events$.subscribe();
        session.state$.subscribe();
        end(opened);
        await time.advance(40_000);
        void session.send('late');
        void session.recv();
        expect(await session.closed).toHaveProperty('origin');
      }
    });

    expect(unhandled).toEqual([]);
  });

  it('would be noticed', async () => {
    const unhandled = await unhandledDuring(async () => {
      const { session, time } = sessionInTime();
      session.messages$.subscribe();
      session.peer.cut();
      await time.advance(10);
    });

    expect(unhandled).toMatchObject([{ code: 'CLOSED_WITHOUT_BYE' }]);
  });
});
