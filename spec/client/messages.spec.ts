import { describe, expect, it } from '@jest/globals';
import { ConnectionClosedError, InvalidStateError, PayloadError, TimeoutError } from '../../src/protocol/index.js';
import type { SessionEvent } from '../../src/session/session-event.js';
import { Bench, outcomeOf, statesOf, text } from './gateway.js';

describe('UsmpClient.send', () => {
  it('waits for a connection, and sends in the order of the calls', async () => {
    const bench = new Bench();
    const client = bench.client();
    void client.connect();
    const sent = [outcomeOf(client.send('1').then(() => 'sent')), outcomeOf(client.send('2').then(() => 'sent'))];
    await bench.time.advance(1);

    expect(await receiveAll(bench, 2)).toEqual(['1', '2']);
    expect(sent.map(({ value }) => value)).toEqual(['sent', 'sent']);
  });

  it('sends with the next session what was not sent at all when one ended, before what came later', async () => {
    const bench = new Bench({ highWaterMarkBytes: 1_000, latencyMs: 1 });
    const stalled = await stalledClient(bench);
    const waiting = ['b', 'c', 'd'].map((message) => outcomeOf(stalled.client.send(message).then(() => 'sent')));
    bench.network.cutAll();
    const later = outcomeOf(stalled.client.send('e').then(() => 'sent'));
    await bench.time.advance(5_000);

    expect(stalled.sealed.error).toBeInstanceOf(ConnectionClosedError);
    expect(stalled.sealed.error).toMatchObject({ code: 'CLOSED_WITHOUT_BYE' });
    expect(await receiveAll(bench, 4)).toEqual(['b', 'c', 'd', 'e']);
    expect([...waiting, later].map(({ value }) => value)).toEqual(['sent', 'sent', 'sent', 'sent']);
  });

  it('takes a message back by AbortSignal while it waits, wherever it waits', async () => {
    const bench = new Bench({ highWaterMarkBytes: 1_000, latencyMs: 1 });
    const { client } = await stalledClient(bench);
    const abort = new AbortController();
    const inOutbox = outcomeOf(client.send('taken back', { signal: abort.signal }));
    const moved = new AbortController();
    const inBacklog = outcomeOf(client.send('taken back too', { signal: moved.signal }));
    void client.send('kept');
    abort.abort();
    bench.network.cutAll();
    moved.abort();
    await bench.time.advance(5_000);

    expect(inOutbox.error).toMatchObject({ code: 'ABORTED' });
    expect(inBacklog.error).toMatchObject({ code: 'ABORTED' });
    expect(await receiveAll(bench, 1)).toEqual(['kept']);
  });

  it('copies a message that waits: the caller may use its array again', async () => {
    const bench = new Bench();
    const client = bench.client();
    void client.connect();
    const message = Uint8Array.of(1, 2, 3);
    void client.send(message);
    message.fill(0);
    await bench.time.advance(1);

    expect(Array.from(await bench.session.recv())).toEqual([1, 2, 3]);
  });

  it('refuses more than maxOutboxBytes while there is no connection, OUTBOX_FULL', async () => {
    const bench = new Bench();
    bench.network.goDown();
    const client = bench.client({ maxOutboxBytes: 1_000 });
    void client.connect();
    void client.send(new Uint8Array(600));

    await expect(client.send(new Uint8Array(401))).rejects.toMatchObject({ code: 'OUTBOX_FULL' });
  });

  it('refuses 1809 bytes with a PayloadError at once, and what is no message', async () => {
    const client = await new Bench().connected();

    await expect(client.send(new Uint8Array(1_809))).rejects.toBeInstanceOf(PayloadError);
    await expect(client.send(42 as unknown as string)).rejects.toMatchObject({ code: 'PAYLOAD_TYPE', origin: 'local' });
  });

  it('says so when it is called before connect() or after close()', async () => {
    const client = new Bench().client();
    await expect(client.send('x')).rejects.toBeInstanceOf(InvalidStateError);
    await expect(client.recv()).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await client.close();
    await expect(client.send('x')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.recv()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('UsmpClient.recv', () => {
  it('goes on across sessions, first come, first served', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const waiting = [outcomeOf(client.recv()), outcomeOf(client.recv())];
    bench.network.cutAll();
    await bench.time.advance(5_000);
    void bench.session.send('1');
    void bench.session.send('2');
    await bench.time.advance(1);

    expect(waiting.map(({ value }) => value && text(value))).toEqual(['1', '2']);
  });

  it('still returns what ended sessions left unread, oldest first', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    for (const message of ['1', '2', '3']) {
      void bench.session.send(message);
      await bench.time.advance(1);
      bench.network.cutAll();
      await bench.time.advance(10_000);
    }
    const received = [await client.recv(), await client.recv(), await client.recv()];

    expect(received.map(text)).toEqual(['1', '2', '3']);
  });

  it('keeps four unread sessions; the fifth drops the oldest and says so in events$', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const events: SessionEvent[] = [];
    client.events$.subscribe((event) => events.push(event));
    for (const message of ['1', '2', '3', '4', '5']) {
      void bench.session.send(message);
      await bench.time.advance(1);
      bench.network.cutAll();
      await bench.time.advance(40_000);
    }

    expect(events).toContainEqual({ type: 'dropped', reason: 'unread-session' });
    expect(text(await client.recv())).toBe('2');
  });

  it('limits silence: frames of any session start it anew, time without a connection counts', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const received = outcomeOf(client.recv({ timeoutMs: 10_000 }));
    await bench.time.advance(9_000);
    void bench.session.ping();
    await bench.time.advance(1_000);
    bench.network.goDown();
    await bench.time.advance(8_999);
    expect(received.error).toBeUndefined();
    await bench.time.advance(1);

    expect(received.error).toBeInstanceOf(TimeoutError);
    expect(received.error).toMatchObject({ code: 'TIMEOUT_RECV' });
  });

  it('ends by AbortSignal, connected or not', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const abort = new AbortController();
    const connected = outcomeOf(client.recv({ signal: abort.signal }));
    bench.network.goDown();
    const disconnected = outcomeOf(client.recv({ signal: abort.signal }));
    abort.abort();
    await bench.time.advance(1);

    expect(connected.error).toMatchObject({ code: 'ABORTED' });
    expect(disconnected.error).toMatchObject({ code: 'ABORTED' });
  });

  it('refuses a limit that is no time', async () => {
    const client = await new Bench().connected();
    await expect(client.recv({ timeoutMs: Number.NaN })).rejects.toMatchObject({ code: 'CONFIG_OPTION' });
    await expect(client.recv({ timeoutMs: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'CONFIG_OPTION' });
  });

  it('together with messages$ is two consumers', async () => {
    const client = await new Bench().connected();
    const errors: unknown[] = [];
    client.messages$.subscribe();
    await expect(client.recv()).rejects.toMatchObject({ code: 'TWO_CONSUMERS' });

    const other = await new Bench().connected();
    void other.recv();
    await Promise.resolve();
    other.messages$.subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toMatchObject([{ code: 'TWO_CONSUMERS' }]);
  });

  it('as an iterator ends at close(), and throws the error of a refusal for good', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const message of client) seen.push(text(message));
    })();
    void bench.session.send('1');
    await bench.time.advance(1);
    void client.close();
    await bench.time.advance(1);
    await loop;
    expect(seen).toEqual(['1']);

    const refused = new Bench();
    refused.psk = 'another pre-shared key';
    const stranger = refused.client();
    void stranger.connect();
    const iteration = outcomeOf(stranger[Symbol.asyncIterator]().next());
    await refused.time.advance(60_000);
    expect(iteration.error).toMatchObject({ code: 'AUTH_REJECTED' });
  });
});

describe('UsmpClient.messages$', () => {
  it('first gives what ended sessions left unread, then what comes', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    void bench.session.send('1');
    await bench.time.advance(1);
    bench.network.cutAll();
    await bench.time.advance(5_000);
    void bench.session.send('2');
    const messages: string[] = [];
    client.messages$.subscribe((message) => messages.push(text(message)));
    await bench.time.advance(1);

    expect(messages).toEqual(['1', '2']);
  });

  it('is shared, closes nothing when it is left, and gives a late subscriber the end', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const first: string[] = [];
    const second: string[] = [];
    const subscription = client.messages$.subscribe((message) => first.push(text(message)));
    client.messages$.subscribe((message) => second.push(text(message)));
    void bench.session.send('both');
    await bench.time.advance(1);
    subscription.unsubscribe();
    void bench.session.send('second');
    await bench.time.advance(1);
    void client.close();
    await bench.time.advance(1);
    let completed = false;
    client.messages$.subscribe({ complete: () => (completed = true) });

    expect(first).toEqual(['both']);
    expect(second).toEqual(['both', 'second']);
    expect(completed).toBe(true);
  });
});

describe('UsmpClient.close', () => {
  it('sends what waits, says BYE, completes every observable and dials no more', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const states = statesOf(client);
    const completed: string[] = [];
    client.session$.subscribe({ complete: () => completed.push('session$') });
    client.messages$.subscribe({ complete: () => completed.push('messages$') });
    client.events$.subscribe({ complete: () => completed.push('events$') });
    void client.send('last words');
    const closed = outcomeOf(client.close().then(() => 'closed'));
    await bench.time.advance(60_000);

    expect(await receiveAll(bench, 1)).toEqual(['last words']);
    expect(await bench.session.closed).toEqual({ origin: 'remote' });
    expect(states).toEqual(['connected', 'closed', '|']);
    expect(completed.sort()).toEqual(['events$', 'messages$', 'session$']);
    expect(closed.value).toBe('closed');
    expect(bench.dials).toBe(1);
  });

  it('ends an attempt, a wait and a call that waits; a second one changes nothing', async () => {
    for (const prepare of ['connecting', 'waiting'] as const) {
      const bench = new Bench({ latencyMs: 100 });
      if (prepare === 'waiting') bench.network.goDown();
      const client = bench.client();
      const connected = outcomeOf(client.connect());
      await bench.time.advance(prepare === 'connecting' ? 150 : 201);
      expect(statesOf(client)).toEqual([prepare]);
      await client.close();
      await client.close();
      await bench.time.advance(60_000);

      expect(connected.error).toBeInstanceOf(ConnectionClosedError);
      expect(bench.sessions).toHaveLength(0);
    }
  });

  it('can be left to `await using`', async () => {
    const client = new Bench().client();
    await client[Symbol.asyncDispose]();
    expect(statesOf(client)).toEqual(['|']);
  });
});

describe('UsmpClient options', () => {
  it.each([
    [{ psk: 'short' }, 'CONFIG_PSK'],
    [{ psk: 42 as unknown as string }, 'CONFIG_PSK'],
    [{ deviceId: '00:11' }, 'CONFIG_DEVICE_ID'],
    [{ transport: undefined as never }, 'CONFIG_OPTION'],
    [{ suite: 'rot13' as never }, 'CONFIG_OPTION'],
    [{ keepaliveMs: 0 }, 'CONFIG_OPTION'],
    [{ connectTimeoutMs: -1 }, 'CONFIG_OPTION'],
    [{ backoff: { minDelayMs: 10, maxDelayMs: 5 } }, 'CONFIG_OPTION'],
    [{ rekey: { everyFrames: 0 } }, 'CONFIG_OPTION'],
    [{ maxInboxBytes: 1.5 }, 'CONFIG_OPTION'],
  ])('%o is refused at construction with %s', (options, code) => {
    expect(() => new Bench().client(options)).toThrow(expect.objectContaining({ name: 'ConfigError', code }));
  });
});

/** A client whose gateway stopped reading, with a message sealed and under way. */
async function stalledClient(bench: Bench) {
  const transports: { pause(): void }[] = [];
  bench.accept = (transport) => {
    transports.push(transport);
    bench.shakeHands(transport);
  };
  const client = await bench.connected();
  await bench.time.advance(10);
  transports[0]?.pause();
  const sealed = outcomeOf(client.send(new Uint8Array(1_800)));
  await bench.time.advance(0);
  return { client, sealed };
}

async function receiveAll(bench: Bench, count: number): Promise<string[]> {
  const messages: string[] = [];
  for (let n = 0; n < count; n++) messages.push(text(await bench.session.recv()));
  return messages;
}
