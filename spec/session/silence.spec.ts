import { describe, expect, it } from '@jest/globals';
import { map } from 'rxjs';
import { text } from '../../src/testing/index.js';
import { marbles, sessionInTime, watch } from './marbles.js';

describe('the inactivity limit', () => {
  it('ends the session with TimeoutError TIMEOUT_IDLE when no authentic frame came for that long', async () => {
    const { session, time } = sessionInTime({ idleTimeoutMs: 60_000 });
    await time.advance(59_999);
    expect(session.peer.state).toBe('open');
    await time.advance(1);

    expect(await session.closed).toMatchObject({
      origin: 'remote',
      error: { name: 'TimeoutError', code: 'TIMEOUT_IDLE' },
    });
    expect(session.peer.state).toBe('closed');
  });

  it.each<[string, (peer: ReturnType<typeof sessionInTime>['session']['peer']) => void]>([
    ['a message', (peer) => peer.send('x')],
    ['PING', (peer) => peer.ping()],
    ['REKEY', (peer) => peer.rekey()],
  ])('starts anew with %s', (_, send) => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ idleTimeoutMs: 1_000 });
      at(900, () => send(session.peer));
      expectObservable(session.state$).toBe('o 1899ms (c|)', { o: 'open', c: 'closed' });
    });
  });

  it('starts anew with PONG', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ idleTimeoutMs: 1_000 });
      at(900, () => void session.ping());
      expectObservable(session.state$).toBe('o 1899ms (c|)', { o: 'open', c: 'closed' });
    });
  });

  it('does not start anew with what we send', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ idleTimeoutMs: 1_000 });
      at(900, () => void session.send('x'));
      expectObservable(session.state$).toBe('o 999ms (c|)', { o: 'open', c: 'closed' });
    });
  });

  it('does not start anew with bytes that are no whole frame', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ idleTimeoutMs: 1_000 });
      at(900, () => session.peer.sendRaw(Uint8Array.of(0xcd, 0xab)));
      expectObservable(session.state$).toBe('o 999ms (c|)', { o: 'open', c: 'closed' });
    });
  });

  it('rests while a full inbox keeps us from reading, and starts anew when we read on', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ idleTimeoutMs: 1_000, maxInboxMessages: 1 });
      session.peer.send('a');
      session.peer.send('b');
      expectObservable(session.messages$, '10s ^').toBe('10s (ab) 996ms #', undefined, 'TIMEOUT_IDLE');
      at(5_000, () => expect(session.peer.state).toBe('open'));
    });
  });
});

describe('keepalive', () => {
  const pingTimes = (diagram: string): readonly [string, object] => [diagram, { p: 6 }];

  it('sends PING when nothing was sent for keepaliveMs, and again after that', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ keepaliveMs: 15_000 });
      expectObservable(session.peer.frames$.pipe(map(({ type }) => type))).toBe(
        ...pingTimes('15s p 14999ms p 14999ms p'),
      );
      at(50_000, () => session.peer.cut());
    });
  });

  it('counts what was sent, from the last frame', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ keepaliveMs: 15_000 });
      // The peer talks as well: silence of either side alone is a reason for PING.
      for (const timeMs of [7_000, 14_000, 21_000]) {
        at(timeMs, () => {
          void session.send('x');
          session.peer.send('y');
        });
      }
      expectObservable(session.peer.frames$.pipe(map(({ type }) => type))).toBe('7s d 6999ms d 6999ms d 14999ms p', {
        d: 5,
        p: 6,
      });
      at(40_000, () => session.peer.cut());
    });
  });

  it('also sends PING when nothing was heard for keepaliveMs, though much is sent', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ keepaliveMs: 15_000 });
      for (const timeMs of [5_000, 10_000, 15_000]) at(timeMs, () => void session.send('x'));
      expectObservable(session.peer.frames$.pipe(map(({ type }) => type))).toBe('5s d 4999ms d 4999ms (pd)', {
        d: 5,
        p: 6,
      });
      at(16_000, () => session.peer.cut());
    });
  });

  it('notices a dead peer by the inactivity limit', async () => {
    const { session, time } = sessionInTime({
      keepaliveMs: 15_000,
      idleTimeoutMs: 60_000,
      peer: { answersPings: false },
    });
    await time.advance(60_000);

    expect(await session.closed).toMatchObject({ error: { code: 'TIMEOUT_IDLE' } });
  });

  it('keeps a live peer that has nothing to say', async () => {
    const { session, time } = sessionInTime({ keepaliveMs: 15_000, idleTimeoutMs: 60_000 });
    await time.advance(3_600_000);

    expect(session.peer.state).toBe('open');
  });

  it('stops at the end of the session', async () => {
    const { session, time } = sessionInTime({ keepaliveMs: 15_000 });
    void session.bye();
    let frames = 0;
    session.peer.frames$.subscribe(() => frames++);
    await time.advance(100_000);

    expect(frames).toBe(1);
  });
});

describe('recv with timeoutMs', () => {
  it('rejects with TimeoutError TIMEOUT_RECV after that much silence, and the session lives', async () => {
    const { session, time } = sessionInTime();
    const received = watch(session.recv({ timeoutMs: 1_000 }));
    await time.advance(999);
    expect(received.state()).toBe('pending');
    await time.advance(1);
    expect(received.state()).toBe('rejected TIMEOUT_RECV');

    session.peer.send('later');
    await time.advance();
    expect(text(await session.recv())).toBe('later');
  });

  it.each([0, 1, 50])('of %p ms with nothing there waits that long', async (timeoutMs) => {
    const { session, time } = sessionInTime();
    const received = watch(session.recv({ timeoutMs }));
    await time.advance(timeoutMs);

    expect(received.state()).toBe('rejected TIMEOUT_RECV');
  });

  it('returns what waits at once, however short the limit', async () => {
    const { session, time } = sessionInTime();
    session.peer.send('a');
    await time.advance();

    expect(text(await session.recv({ timeoutMs: 0 }))).toBe('a');
    expect(time.frame).toBe(0);
  });

  it('means silence: PING and PONG of the peer start it anew', async () => {
    const { session, time } = sessionInTime();
    const received = watch(session.recv({ timeoutMs: 1_000 }));
    await time.advance(900);
    session.peer.ping();
    await time.advance(900);
    void session.ping();
    await time.advance(999);
    expect(received.state()).toBe('pending');
    await time.advance(1);

    expect(received.state()).toBe('rejected TIMEOUT_RECV');
  });

  it('counts from the call, though the peer was silent before', async () => {
    const { session, time } = sessionInTime();
    await time.advance(5_000);
    const received = watch(session.recv({ timeoutMs: 1_000 }));
    await time.advance(999);
    expect(received.state()).toBe('pending');
    session.peer.send('a');
    await time.advance();

    expect(received.state()).toBe('resolved a');
  });

  it('keeps a message that is half here', async () => {
    const { session, time } = sessionInTime({ chunkBytes: 1_000, latencyMs: 1 });
    const received = watch(session.recv({ timeoutMs: 100 }));
    session.peer.sendFrame({ type: 9, plaintext: new Uint8Array(452) });
    await time.advance(101);
    expect(received.state()).toBe('rejected TIMEOUT_RECV');
    const next = session.recv();
    session.peer.sendFrame({ type: 5, plaintext: new Uint8Array(8) });
    await time.advance(1);

    expect((await next).length).toBe(460);
  });

  it.each([-1, Number.NaN, 2 ** 31])('refuses %p with ConfigError', async (timeoutMs) => {
    const { session } = sessionInTime();

    await expect(session.recv({ timeoutMs })).rejects.toMatchObject({ name: 'ConfigError', code: 'CONFIG_OPTION' });
  });
});
