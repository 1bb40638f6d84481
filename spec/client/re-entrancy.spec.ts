import { describe, expect, it } from '@jest/globals';
import { filter, take } from 'rxjs';
import type { UsmpClient } from '../../src/client/usmp-client.js';
import { Bench, outcomeOf, statesOf, text } from './gateway.js';

describe('whoever watches a client may act at once', () => {
  it('close() at `connecting` dials no more', async () => {
    const bench = new Bench();
    const client = bench.client();
    client.connection$.subscribe(({ name }) => name === 'connecting' && void client.close());
    const connected = outcomeOf(client.connect());
    await bench.time.advance(60_000);

    expect(bench.dials).toBe(0);
    expect(connected.error).toMatchObject({ code: 'CLOSED' });
  });

  it('close() at `connected` ends the session with BYE', async () => {
    const bench = new Bench();
    const client = bench.client();
    client.connection$.subscribe(({ name }) => name === 'connected' && void client.close());
    void client.connect();
    await bench.time.advance(60_000);

    expect(bench.sessions).toHaveLength(1);
    expect(await bench.session.closed).toEqual({ origin: 'remote' });
  });

  it('connect() at `failed` tries again, and all that hung on the failure is told of it', async () => {
    const bench = new Bench();
    bench.psk = 'another pre-shared key';
    const client = bench.client();
    const errors: unknown[] = [];
    client.session$.subscribe({ error: (error: unknown) => errors.push(error) });
    const first = outcomeOf(client.connect());
    let again: ReturnType<typeof outcomeOf> | undefined;
    const messages: string[] = [];
    client.connection$.pipe(filter(({ name }) => name === 'failed')).subscribe(() => {
      bench.psk = 'the pre-shared key of the tests';
      again = outcomeOf(client.connect());
      readInto(messages, client);
    });
    await bench.time.advance(60_000);
    void bench.session.send('welcome');
    await bench.time.advance(1);

    expect(first.error).toMatchObject({ code: 'AUTH_REJECTED' });
    expect(errors).toEqual([first.error]);
    expect(again).toHaveProperty('value.sessionId', bench.session.sessionId);
    expect(messages).toEqual(['welcome']);
  });

  it('events$ goes on after a refusal for good and another connect()', async () => {
    const bench = new Bench();
    bench.psk = 'another pre-shared key';
    const client = bench.client();
    const types: string[] = [];
    client.events$.subscribe(({ type }) => types.push(type));
    void client.connect();
    await bench.time.advance(60_000);
    bench.psk = 'the pre-shared key of the tests';
    void client.connect();
    await bench.time.advance(1);
    void client.send('x');
    await bench.time.advance(1);

    expect(types).toEqual(['sent']);
  });

  it('send() in a `sent` handler goes after what waited for the connection', async () => {
    const bench = new Bench();
    const client = bench.client();
    client.events$
      .pipe(
        filter(({ type }) => type === 'sent'),
        take(1),
      )
      .subscribe(() => void client.send('later'));
    void client.connect();
    for (const message of ['1', '2', '3']) void client.send(message);
    await bench.time.advance(1);
    const received: string[] = [];
    bench.session.messages$.subscribe((message) => received.push(text(message)));

    expect(received).toEqual(['1', '2', '3', 'later']);
  });

  it('a second close() waits for the first', async () => {
    const bench = new Bench({ latencyMs: 100 });
    const client = bench.client();
    void client.connect();
    await bench.time.advance(1_000);
    const closed = [outcomeOf(client.close().then(() => 1)), outcomeOf(client.close().then(() => 2))];
    await bench.time.advance(150);
    expect(closed).toEqual([{}, {}]);
    await bench.time.advance(100);

    expect(closed).toEqual([{ value: 1 }, { value: 2 }]);
    expect(statesOf(client)).toEqual(['|']);
  });
});

describe('a message of a client', () => {
  it('arrives as it was when it was given, in whatever session, also from a Buffer that is used again', async () => {
    const bench = new Bench({ highWaterMarkBytes: 1_000, latencyMs: 1 });
    const transports: { pause(): void }[] = [];
    bench.accept = (transport) => {
      transports.push(transport);
      bench.shakeHands(transport);
    };
    const client = await bench.connected();
    await bench.time.advance(10);
    transports[0]?.pause();
    void client.send(new Uint8Array(1_800));
    await bench.time.advance(0);
    const buffer = Buffer.from('first');
    void client.send(buffer);
    buffer.write('XXXXX');
    bench.network.cutAll();
    const next = Buffer.from('second');
    void client.send(next);
    next.write('YYYYYY');
    await bench.time.advance(5_000);

    expect([text(await bench.session.recv()), text(await bench.session.recv())]).toEqual(['first', 'second']);
  });

  it('can be taken back after it has moved from the backlog to the outbox of a session', async () => {
    const bench = new Bench({ highWaterMarkBytes: 1_000, latencyMs: 10 });
    const client = bench.client();
    const abort = new AbortController();
    void client.connect();
    // A burst of 64 KiB leaves at once and fills the line; what follows waits.
    for (let n = 0; n < 40; n++) void client.send(new Uint8Array(1_808));
    const sent = outcomeOf(client.send('taken back', { signal: abort.signal }));
    void client.send('kept');
    client.connection$.subscribe(({ name }) => name === 'connected' && bench.time.schedule(() => abort.abort(), 5));
    await bench.time.advance(1_000);
    const received: Uint8Array[] = [];
    bench.session.messages$.subscribe((message) => received.push(message));

    expect(sent.error).toMatchObject({ code: 'ABORTED' });
    expect(received).toHaveLength(41);
    expect(text(received[40] ?? new Uint8Array())).toBe('kept');
  });
});

describe('an AbortSignal', () => {
  it('that is aborted after its call failed at once does nothing', async () => {
    const bench = new Bench();
    const client = bench.client();
    const abort = new AbortController();
    const { signal } = abort;
    await expect(client.send('x', { signal })).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await expect(client.send(new Uint8Array(1_809), { signal })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(client.recv({ signal, timeoutMs: -1 })).rejects.toMatchObject({ code: 'CONFIG_OPTION' });

    expect(() => abort.abort()).not.toThrow();
  });
});

function readInto(messages: string[], client: UsmpClient): void {
  client.messages$.subscribe({ next: (message) => messages.push(text(message)) });
}
