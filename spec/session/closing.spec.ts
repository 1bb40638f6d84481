import { describe, expect, it } from '@jest/globals';
import { PacketType, type UsmpError } from '../../src/protocol/index.js';
import { instrumentedSession } from './instrumented.js';
import { sessionInTime, watch } from './marbles.js';

/** Writes into `log` how the observables and the promise of a session end. */
function logEnds({ session, log }: ReturnType<typeof instrumentedSession>): void {
  session.messages$.subscribe({
    complete: () => log.push('messages$ completes'),
    error: (error: unknown) => log.push(`messages$ errors with ${(error as UsmpError).code}`),
  });
  session.state$.subscribe({ next: (state) => log.push(state), complete: () => log.push('state$ completes') });
  session.events$.subscribe({
    next: ({ type }) => log.push(`event ${type}`),
    complete: () => log.push('events$ completes'),
  });
  void session.closed.then(() => log.push('closed resolves'));
}

describe('a session ends in order: timers, BYE, transport, observables, closed', () => {
  const end = [
    'state$ completes',
    'event closed',
    'events$ completes',
    'a key is wiped',
    'a key is wiped',
    'closed resolves',
  ];

  it('at a BYE of its own', async () => {
    const instrumented = instrumentedSession({ keepaliveMs: 15_000, rekey: { everyMs: 60_000 } });
    logEnds(instrumented);
    const { session, time, log, pendingActions } = instrumented;
    void session.bye();
    await time.advance();

    expect(log).toEqual([
      'open',
      'closing',
      // What is left is the inactivity limit and the limit on closing.
      'write 40, 2 timers',
      'end, 2 timers',
      'destroy, 0 timers',
      'messages$ completes',
      'closed',
      ...end,
    ]);
    expect(pendingActions()).toBe(0);
  });

  it('at a BYE of the peer', async () => {
    const instrumented = instrumentedSession({ keepaliveMs: 15_000, rekey: { everyMs: 60_000 } });
    logEnds(instrumented);
    const { peer, time, log, pendingActions } = instrumented;
    peer.bye();
    await time.advance();

    expect(log).toEqual(['open', 'destroy, 0 timers', 'messages$ completes', 'closed', ...end]);
    expect(pendingActions()).toBe(0);
  });

  it('at an error', async () => {
    const instrumented = instrumentedSession({ keepaliveMs: 15_000, rekey: { everyMs: 60_000 } });
    logEnds(instrumented);
    const { peer, time, log, pendingActions } = instrumented;
    peer.sendFrame({ type: PacketType.DATA, corruptTag: true });
    await time.advance();

    expect(log).toEqual(['open', 'destroy, 0 timers', 'messages$ errors with CRYPTO_TAG', 'closed', ...end]);
    expect(pendingActions()).toBe(0);
  });

  it('with its keys overwritten', async () => {
    const { session, time, established } = instrumentedSession();
    const { sending, receiving } = established.keys;
    expect(sending.expose()).not.toEqual(new Uint8Array(32));
    void session.bye();
    await time.advance();

    expect(sending.expose()).toEqual(new Uint8Array(32));
    expect(receiving.expose()).toEqual(new Uint8Array(32));
  });
});

describe('bye', () => {
  it('sends everything that was sent before, then BYE, and resolves when the peer has closed', async () => {
    const { session, time } = sessionInTime({ latencyMs: 10 });
    const received: string[] = [];
    session.peer.frames$.subscribe(({ type, plaintext }) => received.push(`${type} ${plaintext.length}`));
    const sent = watch(session.send('last words'));
    const said = watch(session.bye());
    await time.advance(19);
    expect([sent.state(), said.state()]).toEqual(['resolved', 'pending']);
    await time.advance(1);

    expect(said.state()).toBe('resolved');
    expect(received).toEqual(['5 10', '8 0']);
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('also sends what waits for a peer that reads slowly', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    const received: number[] = [];
    session.peer.messages$.subscribe((message) => received.push(message.length));
    session.peer.stopReading();
    for (let n = 0; n < 10; n++) void session.send(new Uint8Array(n));
    await time.advance();
    void session.send('waits');
    void session.bye();
    await time.advance(1_000);
    session.peer.resumeReading();
    await time.advance();

    expect(received).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5]);
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('resolves what was sent in the same write, once the peer has closed in answer', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    const sent = watch(session.send('last words'));
    void session.bye();
    await time.advance();

    expect(sent.state()).toBe('resolved');
  });

  it('rejects what was sent in the same write where the connection breaks before the peer has closed', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, latencyMs: 10 });
    const sent = watch(session.send('last words'));
    void session.bye();
    await time.advance(5);
    session.peer.cut();
    await time.advance(5);

    expect(sent.state()).toBe('rejected CLOSED_BY_BYE');
  });

  it('is heard by a peer that has filled our inbox', async () => {
    const { session, time } = sessionInTime({ maxInboxMessages: 1 });
    for (let n = 0; n < 5; n++) session.peer.send('nobody consumes this');
    await time.advance();
    const said = watch(session.bye());
    await time.advance();

    expect(said.state()).toBe('resolved');
    expect(time.frame).toBe(0);
  });

  it('closes after 5 s where the peer does not close', async () => {
    const { session, time } = sessionInTime();
    session.peer.stopReading();
    const said = watch(session.bye());
    await time.advance(4_999);
    expect(said.state()).toBe('pending');
    await time.advance(1);

    expect(said.state()).toBe('resolved');
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('fails with TIMEOUT_SEND after closeTimeoutMs where the peer does not read what is to come before', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, closeTimeoutMs: 2_000 });
    session.peer.stopReading();
    void session.send('a');
    await time.advance();
    const waiting = watch(session.send('b'));
    const said = watch(session.bye());
    await time.advance(1_999);
    expect(said.state()).toBe('pending');
    await time.advance(1);

    expect(said.state()).toBe('resolved');
    expect(waiting.state()).toBe('rejected CLOSED_BEFORE_SEND');
    expect(await session.closed).toMatchObject({ error: { name: 'TimeoutError', code: 'TIMEOUT_SEND' } });
  });

  it('of both sides at once is a clean end for both', async () => {
    const { session, time } = sessionInTime({ latencyMs: 10 });
    const said = watch(session.bye());
    session.peer.bye();
    await time.advance(30);

    expect(said.state()).toBe('resolved');
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('may be said again, during and after the end, and then sends nothing', async () => {
    const { session, time } = sessionInTime({ latencyMs: 10 });
    let byes = 0;
    session.peer.frames$.subscribe(() => byes++);
    const all = [watch(session.bye()), watch(session.bye()), watch(session[Symbol.asyncDispose]())];
    await time.advance(20);
    all.push(watch(session.bye()));
    await time.advance();

    expect(all.map((said) => said.state())).toEqual(Array(4).fill('resolved'));
    expect(byes).toBe(1);
  });

  it('goes on delivering what the peer had sent before it read BYE', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    session.peer.stopReading();
    void session.send('a');
    await time.advance();
    const received = watch(session.recv());
    void session.bye();
    session.peer.send('still heard');
    await time.advance();

    expect(received.state()).toBe('resolved still heard');
  });

  it('makes every later call fail with a typed error', async () => {
    const { session, time } = sessionInTime({ latencyMs: 10 });
    void session.bye();
    const calls = () => [session.send('x'), session.ping(), session.rekey()].map((call) => watch<unknown>(call));
    const during = calls();
    await time.advance(20);
    const after = calls();
    await time.advance();

    const failures = ['rejected CLOSED_BEFORE_SEND', 'rejected CLOSED', 'rejected CLOSED'];
    expect(during.map((call) => call.state())).toEqual(failures);
    expect(after.map((call) => call.state())).toEqual(failures);
  });
});

describe('whatever waits when a session ends', () => {
  it('is told the error that ended it', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    session.peer.stopReading();
    const sealed = watch(session.send('sealed'));
    await time.advance();
    const queued = watch(session.send('queued'));
    const waiting = [session.recv(), session.ping(), session.rekey()].map((call) => watch<unknown>(call));
    session.peer.cut();
    await time.advance();

    expect(sealed.state()).toBe('rejected CLOSED_WITHOUT_BYE');
    expect(queued.state()).toBe('rejected CLOSED_BEFORE_SEND');
    expect(waiting.map((call) => call.state())).toEqual(Array(3).fill('rejected CLOSED_WITHOUT_BYE'));
  });

  it('is told CLOSED_BY_BYE after a BYE of the peer', async () => {
    const { session, time } = sessionInTime({ peer: { answersPings: false } });
    const waiting = [session.recv(), session.ping()].map((call) => watch<unknown>(call));
    await time.advance();
    session.peer.bye();
    await time.advance();

    expect(waiting.map((call) => call.state())).toEqual(Array(2).fill('rejected CLOSED_BY_BYE'));
    expect(await session.closed).toEqual({ origin: 'remote' });
  });
});
