import { describe, expect, it } from '@jest/globals';
import {
  AuthError,
  ConnectionClosedError,
  TimeoutError,
  type UsmpError,
  VersionError,
} from '../../src/protocol/index.js';
import { throwError } from 'rxjs';
import type { ConnectionState } from '../../src/client/connection-state.js';
import type { UsmpClient } from '../../src/client/usmp-client.js';
import { Bench, outcomeOf, statesOf, text } from './gateway.js';

const MINUTE_MS = 60_000;

describe('UsmpClient, connecting', () => {
  it('resolves connect() with the session and shows idle, connecting, connected in connection$', async () => {
    const bench = new Bench();
    const client = bench.client();
    const states = statesOf(client);
    const connected = outcomeOf(client.connect());
    await bench.time.advance(1);

    expect(states).toEqual(['idle', 'connecting', 'connected']);
    expect(connected.value?.sessionId).toBe(bench.session.sessionId);
    expect(bench.session.deviceId).toBe(client.deviceId);
  });

  it('dials once however often connect() is called', async () => {
    const bench = new Bench();
    const client = bench.client();
    const both = Promise.all([client.connect(), client.connect()]);
    await bench.time.advance(1);
    const [first, second] = await both;

    expect(first).toBe(second);
    expect(bench.dials).toBe(1);
  });

  it('ends a wait by AbortSignal with ABORTED, and goes on connecting', async () => {
    const bench = new Bench({ latencyMs: 100 });
    const client = bench.client();
    const abort = new AbortController();
    const connected = outcomeOf(client.connect({ signal: abort.signal }));
    abort.abort();
    await bench.time.advance(1_000);

    expect(connected.error).toMatchObject({ code: 'ABORTED', name: 'InvalidStateError' });
    expect(statesOf(client)).toEqual(['connected']);
  });

  it('does not start for a signal that is aborted already', async () => {
    const bench = new Bench();
    const client = bench.client();
    await expect(client.connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await bench.time.advance(MINUTE_MS);

    expect(bench.dials).toBe(0);
    expect(statesOf(client)).toEqual(['idle']);
  });

  it('counts a dial that takes longer than connectTimeoutMs as failed, TIMEOUT_CONNECT', async () => {
    const bench = new Bench({ latencyMs: 30_000 });
    const client = bench.client();
    const errors = errorsOf(client);
    void client.connect();
    await bench.time.advance(10_000);

    expect(errors.map(({ code }) => code)).toEqual(['TIMEOUT_CONNECT']);
    expect(errors[0]).toBeInstanceOf(TimeoutError);
  });

  it('counts a gateway that says nothing for handshakeTimeoutMs as failed, TIMEOUT_HANDSHAKE', async () => {
    const bench = new Bench();
    bench.accept = (transport) => transport.attach({ data() {}, drain() {}, end() {} });
    const client = bench.client();
    const errors = errorsOf(client);
    void client.connect();
    await bench.time.advance(10_001);

    expect(errors.map(({ code }) => code)).toEqual(['TIMEOUT_HANDSHAKE']);
  });
});

describe('UsmpClient, reconnecting', () => {
  it('tries for ever where nobody listens, with delays from 0 to a bound that doubles from 500 ms to 30 s', async () => {
    const bench = new Bench();
    bench.network.goDown();
    const client = bench.client();
    const delays: number[] = [];
    client.connection$.subscribe((state) => state.name === 'waiting' && delays.push(state.delayMs));
    void client.connect();
    await bench.time.advance(60 * MINUTE_MS);

    expect(delays.length).toBeGreaterThan(100);
    for (const [n, delayMs] of delays.entries()) {
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** n));
    }
    // Full jitter: all of the range is used, not only its end.
    const late = delays.slice(10);
    expect(Math.min(...late)).toBeLessThan(5_000);
    expect(Math.max(...late)).toBeGreaterThan(25_000);
  });

  it('comes back after the connection broke; session$ and messages$ go on', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const sessions: string[] = [];
    const messages: string[] = [];
    client.session$.subscribe({ next: ({ sessionId }) => sessions.push(sessionId) });
    client.messages$.subscribe({ next: (message) => messages.push(text(message)) });
    void bench.session.send('before');
    await bench.time.advance(1);
    bench.network.cutAll();
    await bench.time.advance(1_000);
    void bench.session.send('after');
    await bench.time.advance(1);

    expect(sessions).toEqual(bench.sessions.map(({ sessionId }) => sessionId));
    expect(sessions).toHaveLength(2);
    expect(messages).toEqual(['before', 'after']);
  });

  it('comes back after a BYE of the server, and tells no error for it', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const states: ConnectionState[] = [];
    client.connection$.subscribe((state) => states.push(state));
    void bench.session.bye();
    await bench.time.advance(1_000);

    expect(states.map(({ name }) => name)).toEqual(['connected', 'waiting', 'connecting', 'connected']);
    expect(states[1]).not.toHaveProperty('error');
  });

  it('keeps the back-off growing while sessions end at once, and starts anew after one that stood for 10 s', async () => {
    const bench = new Bench();
    const attempts: number[] = [];
    const client = await bench.connected();
    client.connection$.subscribe((state) => state.name === 'connecting' && attempts.push(state.attempt));
    for (let n = 0; n < 3; n++) {
      bench.network.cutAll();
      await bench.time.advance(5_000);
    }
    await bench.time.advance(20_000);
    bench.network.cutAll();
    await bench.time.advance(5_000);

    expect(attempts.at(-1)).toBe(1);
    expect(attempts.length).toBeGreaterThan(1);
    expect(Math.max(...attempts)).toBeGreaterThan(1);
  });
});

describe('UsmpClient, refused for good', () => {
  it('believes a wrong PSK at the third time in a row, tells it once, and dials no more', async () => {
    const bench = new Bench();
    bench.psk = 'another pre-shared key';
    const client = bench.client();
    const states = statesOf(client);
    const errors: unknown[] = [];
    client.messages$.subscribe({ error: (error: unknown) => errors.push(error) });
    const connected = outcomeOf(client.connect());
    const sent = outcomeOf(client.send('never'));
    const received = outcomeOf(client.recv());
    await bench.time.advance(60 * MINUTE_MS);

    expect(states.filter((name) => name === 'connecting')).toHaveLength(3);
    expect(states.at(-1)).toBe('failed');
    expect(bench.refusals.map(({ code }) => code)).toEqual(['AUTH_HMAC', 'AUTH_HMAC', 'AUTH_HMAC']);
    expect(errors).toHaveLength(1);
    for (const error of [errors[0], connected.error, sent.error, received.error]) {
      expect(error).toBeInstanceOf(AuthError);
      expect(error).toMatchObject({ code: 'AUTH_REJECTED', origin: 'remote' });
    }
  });

  it('does not believe it once: a gateway shut down within a handshake looks the same', async () => {
    const bench = new Bench();
    bench.psk = 'another pre-shared key';
    const client = bench.client();
    void client.connect();
    await bench.time.advance(1);
    bench.psk = 'the pre-shared key of the tests';
    await bench.time.advance(5_000);

    expect(bench.refusals).toHaveLength(1);
    expect(statesOf(client)).toEqual(['connected']);
  });

  it('takes a gateway of another protocol version for good, VersionError', async () => {
    const bench = new Bench();
    bench.accept = (transport) => {
      transport.attach({ data() {}, drain() {}, end() {} });
      transport.write(Uint8Array.of(0xcd, 0xab, 0x01, 0x02));
    };
    const client = bench.client();
    const connected = outcomeOf(client.connect());
    await bench.time.advance(MINUTE_MS);

    expect(connected.error).toBeInstanceOf(VersionError);
    expect(bench.dials).toBe(3);
  });

  it('tries again at another connect(), with session$ and messages$ anew', async () => {
    const bench = new Bench();
    bench.psk = 'another pre-shared key';
    const client = bench.client();
    void client.connect();
    await bench.time.advance(MINUTE_MS);
    bench.psk = 'the pre-shared key of the tests';
    const connected = outcomeOf(client.connect());
    const messages: string[] = [];
    client.messages$.subscribe({ next: (message) => messages.push(text(message)) });
    await bench.time.advance(1);
    void bench.session.send('welcome');
    await bench.time.advance(1);

    expect(connected.value?.sessionId).toBe(bench.session.sessionId);
    expect(messages).toEqual(['welcome']);
  });

  it('goes on for ever after errors that pass: a CRC error, a closed port, a cut line', async () => {
    const bench = new Bench();
    bench.accept = (transport) => {
      transport.attach({ data() {}, drain() {}, end() {} });
      transport.write(new Uint8Array(64));
    };
    const client = bench.client();
    const errors = errorsOf(client);
    void client.connect();
    await bench.time.advance(5 * MINUTE_MS);

    expect(errors.length).toBeGreaterThan(5);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['FRAME_MAGIC']));
  });
});

describe('UsmpClient, keepalive', () => {
  it('sends PING when nothing was sent for 15 s, and the session stands for hours', async () => {
    const bench = new Bench();
    const client = await bench.connected();
    const pings: number[] = [];
    bench.session.events$.subscribe(({ type }) => type === 'ping' && pings.push(bench.time.now()));
    await bench.time.advance(120 * MINUTE_MS);

    expect(bench.sessions).toHaveLength(1);
    expect(pings).toHaveLength((120 * 60) / 15);
    expect(statesOf(client)).toEqual(['connected']);
  });

  it('takes a gateway that is silent for three times keepaliveMs for dead and connects anew', async () => {
    const bench = new Bench();
    const transports: { pause(): void }[] = [];
    bench.accept = (transport) => {
      transports.push(transport);
      bench.shakeHands(transport);
    };
    const client = await bench.connected();
    const errors = errorsOf(client);
    transports[0]?.pause();
    await bench.time.advance(44_000);
    expect(errors).toEqual([]);
    await bench.time.advance(5_000);

    expect(errors.map(({ code }) => code)).toEqual(['TIMEOUT_IDLE']);
    expect(bench.sessions).toHaveLength(2);
  });
});

it('an error of a foreign dialer becomes a typed one', async () => {
  const bench = new Bench();
  const client = bench.client({ transport: { kind: 'memory', dial: () => throwError(() => new Error('no radio')) } });
  const errors = errorsOf(client);
  void client.connect();
  await bench.time.advance(1_000);

  expect(errors.length).toBeGreaterThan(0);
  expect(errors[0]).toBeInstanceOf(ConnectionClosedError);
  expect(errors[0]).toMatchObject({ code: 'CONNECT_FAILED', message: 'connecting failed: Error: no radio' });
});

/** Why attempts failed and sessions ended, from now on. */
function errorsOf(client: UsmpClient): UsmpError[] {
  const errors: UsmpError[] = [];
  client.connection$.subscribe((state) => {
    if (state.name === 'waiting' && state.error) errors.push(state.error);
  });
  return errors;
}
