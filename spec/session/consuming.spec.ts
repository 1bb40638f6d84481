import { describe, expect, it } from '@jest/globals';
import { noop, take } from 'rxjs';
import { InvalidStateError, type UsmpError } from '../../src/protocol/index.js';
import type { Session } from '../../src/session/session.js';
import { text } from '../../src/testing/index.js';
import { sessionInTime, watch } from './marbles.js';
import { sessionPair } from './session-pair.js';

/** How `messages$` ends for a new subscriber, as it stands now. */
function subscribeNow(session: Session): { readonly end: () => string; readonly unsubscribe: () => void } {
  let end = 'goes on';
  const subscription = session.messages$.subscribe({
    error: (error: unknown) => {
      end = error instanceof InvalidStateError ? error.code : `other ${String(error)}`;
    },
    complete: () => {
      end = 'completes';
    },
  });
  return { end: () => end, unsubscribe: () => subscription.unsubscribe() };
}

describe('two ways of consuming at once are refused with TWO_CONSUMERS', () => {
  it('recv while messages$ is subscribed', async () => {
    const { session, time } = sessionInTime();
    const first = subscribeNow(session);
    const refused = watch(session.recv());
    await time.advance();

    expect(refused.state()).toBe('rejected TWO_CONSUMERS');
    expect(first.end()).toBe('goes on');
  });

  it('an iterator while messages$ is subscribed', async () => {
    const { session, time } = sessionInTime();
    const first = subscribeNow(session);
    const refused = watch(session[Symbol.asyncIterator]().next());
    await time.advance();

    expect(refused.state()).toBe('rejected TWO_CONSUMERS');
    expect(first.end()).toBe('goes on');
  });

  it('messages$ while recv waits, which goes on waiting', async () => {
    const { session, time } = sessionInTime();
    const first = watch(session.recv());
    expect(subscribeNow(session).end()).toBe('TWO_CONSUMERS');
    session.peer.send('a');
    await time.advance();

    expect(first.state()).toBe('resolved a');
  });

  it('messages$ while an iterator is in use, also between two messages', async () => {
    const { session, time } = sessionInTime();
    const iterator = session[Symbol.asyncIterator]();
    const first = iterator.next();
    expect(subscribeNow(session).end()).toBe('TWO_CONSUMERS');
    session.peer.send('a');
    await time.advance();
    expect(text((await first).value as Uint8Array)).toBe('a');
    expect(subscribeNow(session).end()).toBe('TWO_CONSUMERS');
    await iterator.return?.();

    expect(subscribeNow(session).end()).toBe('goes on');
  });

  it('an iterator that meets a subscription on its way', async () => {
    const { session, time } = sessionInTime();
    session.peer.send('a');
    await time.advance();
    const subscription = subscribeNow(session);
    const refused = watch(session[Symbol.asyncIterator]().next());
    await time.advance();

    expect(refused.state()).toBe('rejected TWO_CONSUMERS');
    expect(subscription.end()).toBe('goes on');
  });

  it('and one after the other is fine', async () => {
    const { session, time } = sessionInTime();
    const received = watch(session.recv());
    session.peer.send('a');
    await time.advance();
    expect(received.state()).toBe('resolved a');

    const messages: string[] = [];
    const subscription = session.messages$.subscribe((message) => messages.push(text(message)));
    session.peer.send('b');
    await time.advance();
    subscription.unsubscribe();
    expect(messages).toEqual(['b']);

    session.peer.send('c');
    await time.advance();
    expect(text(await session.recv())).toBe('c');
  });

  it('but events$ never counts', async () => {
    const { session, time } = sessionInTime();
    session.events$.subscribe();
    const received = watch(session.recv());
    session.peer.send('a');
    await time.advance();

    expect(received.state()).toBe('resolved a');
  });
});

describe('recv', () => {
  it('serves calls in their order', async () => {
    const { session, time } = sessionInTime();
    const calls = [session.recv(), session.recv(), session.recv()].map(watch);
    for (const message of ['a', 'b', 'c']) session.peer.send(message);
    await time.advance();

    expect(calls.map((call) => call.state())).toEqual(['resolved a', 'resolved b', 'resolved c']);
  });

  it('returns empty messages', async () => {
    const { session, time } = sessionInTime();
    session.peer.send('');
    await time.advance();

    expect(await session.recv()).toEqual(new Uint8Array(0));
  });

  it('drains what is queued after the end, then rejects with ConnectionClosedError and its cause', async () => {
    const { session, time } = sessionInTime();
    for (const message of ['a', 'b']) session.peer.send(message);
    await time.advance();
    session.peer.cut();
    await time.advance();

    expect([text(await session.recv()), text(await session.recv())]).toEqual(['a', 'b']);
    await expect(session.recv()).rejects.toMatchObject({
      name: 'ConnectionClosedError',
      code: 'CLOSED',
      cause: { code: 'CLOSED_WITHOUT_BYE' },
    });
  });

  it('rejects with CLOSED_BY_BYE after a BYE', async () => {
    const { session, time } = sessionInTime();
    session.peer.bye();
    await time.advance();

    await expect(session.recv()).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 'CLOSED_BY_BYE' });
  });

  it('that waits gets the error that ends the session itself', async () => {
    const { session, time } = sessionInTime();
    const waiting = watch(session.recv());
    session.peer.sendFrame({ type: 5, corruptTag: true });
    await time.advance();

    expect(waiting.state()).toBe('rejected CRYPTO_TAG');
  });

  it('is given up by its AbortSignal, and takes no message then', async () => {
    const { session, time } = sessionInTime();
    const giveUp = new AbortController();
    const [first, second] = [watch(session.recv({ signal: giveUp.signal })), watch(session.recv())];
    giveUp.abort(new Error('enough'));
    session.peer.send('a');
    await time.advance();

    expect([first.state(), second.state()]).toEqual(['rejected ABORTED', 'resolved a']);
  });

  it('with a signal that was aborted before rejects and takes nothing', async () => {
    const { session, time } = sessionInTime();
    session.peer.send('a');
    await time.advance();
    const reason = new Error('enough');
    await expect(session.recv({ signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });

    expect(text(await session.recv())).toBe('a');
  });

  it('leaves nothing behind at a signal that lives long', async () => {
    const { session, time } = sessionInTime();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...of: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, of);
    };
    signal.removeEventListener = (...of: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, of);
    };
    const resolved = watch(session.recv({ signal }));
    session.peer.send('a');
    await time.advance();
    const timedOut = watch(session.recv({ signal, timeoutMs: 10 }));
    await time.advance(10);
    expect(listeners).toBe(0);
    const closed = watch(session.recv({ signal }));
    expect(listeners).toBe(1);
    session.peer.bye();
    await time.advance();

    expect([resolved.state(), timedOut.state(), closed.state()]).toEqual([
      'resolved a',
      'rejected TIMEOUT_RECV',
      'rejected CLOSED_BY_BYE',
    ]);
    expect(listeners).toBe(0);
  });
});

describe('for await', () => {
  async function collect(session: Session): Promise<string[]> {
    const messages: string[] = [];
    try {
      for await (const message of session) messages.push(text(message));
      messages.push('done');
    } catch (error) {
      messages.push((error as UsmpError).code);
    }
    return messages;
  }

  it('gets the messages, empty ones too, and is done at a BYE', async () => {
    const { session, time } = sessionInTime();
    const collected = collect(session);
    for (const message of ['a', '', 'b']) session.peer.send(message);
    await time.advance();
    session.peer.bye();
    await time.advance();

    expect(await collected).toEqual(['a', '', 'b', 'done']);
  });

  it('gets what was queued before any other end, then its error', async () => {
    const { session, time } = sessionInTime();
    for (const message of ['a', 'b']) session.peer.send(message);
    await time.advance();
    session.peer.cut();
    await time.advance();

    expect(await collect(session)).toEqual(['a', 'b', 'CLOSED_WITHOUT_BYE']);
  });

  it('that is left does not close the session, and another goes on where it stopped', async () => {
    const { session, time } = sessionInTime();
    for (const message of ['a', 'b', 'c']) session.peer.send(message);
    await time.advance();
    for await (const message of session) {
      expect(text(message)).toBe('a');
      break;
    }
    expect(session.peer.state).toBe('open');
    session.peer.bye();
    await time.advance();

    expect(await collect(session)).toEqual(['b', 'c', 'done']);
  });

  it('that is left while it waits ends its wait, and takes no message', async () => {
    const { session, time } = sessionInTime();
    const iterator = session[Symbol.asyncIterator]();
    const waiting = watch(iterator.next().then(({ done }) => `done: ${done}`));
    void iterator.return?.();
    await time.advance();
    session.peer.send('a');
    await time.advance();

    expect(waiting.state()).toBe('resolved done: true');
    expect(text(await session.recv())).toBe('a');
  });

  it('that is left at the moment when a message comes loses nothing', async () => {
    const { session, time } = sessionInTime();
    const iterator = session[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await time.advance();
    session.peer.send('a');
    time.maxFrames = time.frame;
    time.flush();
    void iterator.return?.();

    expect(text((await waiting).value as Uint8Array)).toBe('a');
  });

  it('twice at once shares the messages out', async () => {
    const { session, time } = sessionInTime();
    const both = [collect(session), collect(session)];
    for (const message of ['a', 'b', 'c', 'd']) session.peer.send(message);
    await time.advance();
    session.peer.bye();
    await time.advance();
    const [one = [], other = []] = await Promise.all(both);

    expect([...one, ...other].sort()).toEqual(['a', 'b', 'c', 'd', 'done', 'done']);
  });
});

describe('the inbox', () => {
  it('stops reading at maxInboxMessages and reads on when half of them were taken', async () => {
    const { session, time } = sessionInTime({ maxInboxMessages: 4, highWaterMarkBytes: 1 });
    const events: string[] = [];
    session.events$.subscribe(({ type }) => events.push(type));
    for (let n = 0; n < 10; n++) session.peer.send(`${n}`);
    await time.advance();
    expect(events).toEqual([...Array<string>(4).fill('message'), 'paused']);

    const taken = [text(await session.recv()), text(await session.recv())];
    await time.advance();
    expect(events).toHaveLength(5);
    taken.push(text(await session.recv()));
    await time.advance();
    expect(events.slice(5)).toEqual(['resumed', 'message', 'message', 'message', 'paused']);

    session.messages$.subscribe((message) => taken.push(text(message)));
    await time.advance();
    expect(taken).toEqual(Array.from('0123456789'));
    expect(events.at(-1)).toBe('message');
  });

  it('stops reading at maxInboxBytes', async () => {
    const { session, time } = sessionInTime({ maxInboxBytes: 3_000 });
    const events: string[] = [];
    session.events$.subscribe(({ type }) => events.push(type));
    for (let n = 0; n < 5; n++) session.peer.send(new Uint8Array(1_808));
    await time.advance();

    expect(events).toEqual(['message', 'message', 'paused']);
  });

  it('makes the sender wait', async () => {
    const { client, server, time } = sessionPair({ highWaterMarkBytes: 100, server: { maxInboxMessages: 1 } });
    const sent: ReturnType<typeof watch>[] = [];
    for (let n = 0; n < 10; n++) {
      sent.push(watch(client.send(new Uint8Array(100))));
      await time.advance();
    }
    const settled = (): number => sent.filter((send) => send.state() === 'resolved').length;
    const before = settled();
    expect(before).toBeLessThan(5);
    await time.advance(10_000);
    expect(settled()).toBe(before);

    server.messages$.subscribe();
    await time.advance();
    expect(settled()).toBe(10);
  });

  it('never fills while somebody consumes', async () => {
    const { session, time } = sessionInTime({ maxInboxMessages: 1 });
    const events = new Set<string>();
    session.events$.subscribe(({ type }) => events.add(type));
    let received = 0;
    session.messages$.subscribe(() => received++);
    for (let n = 0; n < 100; n++) session.peer.send('x');
    await time.advance();

    expect(received).toBe(100);
    expect([...events]).toEqual(['message']);
  });

  it('takes what has arrived before the end whole, be it full or not', async () => {
    const { session, time } = sessionInTime({ maxInboxMessages: 2 });
    for (let n = 0; n < 10; n++) session.peer.send(`${n}`);
    await time.advance();
    session.peer.cut();
    await time.advance();
    const messages: string[] = [];
    session.messages$.subscribe({ next: (message) => messages.push(text(message)), error: noop });

    expect(messages).toEqual(Array.from('0123456789'));
  });

  it('keeps messages in order through pauses, whoever consumes', async () => {
    const { session, time } = sessionInTime({ maxInboxMessages: 3, chunkBytes: 7 });
    const sent = Array.from({ length: 200 }, (_, n) => `${n}`);
    for (const message of sent) session.peer.send(message);
    session.peer.bye();
    const received: string[] = [];
    for (let turn = 0; received.length < 200; turn++) {
      await time.advance();
      if (turn % 3 === 0) received.push(text(await session.recv()));
      else if (turn % 3 === 1) {
        const subscription = session.messages$.pipe(take(2)).subscribe((message) => received.push(text(message)));
        await time.advance();
        subscription.unsubscribe();
      } else {
        for await (const message of session) {
          received.push(text(message));
          if (received.length % 2 === 0) break;
        }
      }
    }

    expect(received).toEqual(sent);
  });
});
