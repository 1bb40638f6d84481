import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { config } from 'rxjs';
import { SimulatedDevice } from 'usmp-rx/testing';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import type { ServerEvent } from '../../src/server/server-event.js';
import { UsmpServer } from '../../src/server/server.js';
import { connectedDevice, deviceIdOf, PSK, virtualBench } from './bench.js';

const SECRET_MESSAGE = 'the plaintext of a message';

/** What RxJS would throw into the event loop while `run` runs. */
async function reportedErrors(run: () => Promise<void>): Promise<unknown[]> {
  const reported: unknown[] = [];
  config.onUnhandledError = (error) => reported.push(error);
  try {
    await run();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    config.onUnhandledError = null;
  }
  return reported;
}

describe('events$', () => {
  it('tells the life of a session, with the session', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    device.send(SECRET_MESSAGE);
    device.ping();
    device.bye();
    await bench.time.advance();
    const [session] = bench.sessions;

    expect(bench.events).toEqual([
      { type: 'connection-accepted', transport: 'memory', remoteAddress: 'client-1:1' },
      { type: 'session-opened', session, replaced: [] },
      { type: 'session', session, event: expect.objectContaining({ type: 'message', bytes: SECRET_MESSAGE.length }) },
      { type: 'session', session, event: { type: 'ping' } },
      { type: 'session-closed', session, info: { origin: 'remote' } },
    ]);
  });

  it('tells of messages that the server sends, from the very first', async () => {
    const bench = virtualBench();
    bench.server.sessions$.subscribe((session) => void session.send('welcome'));
    await connectedDevice(bench);

    expect(bench.events.at(-1)).toMatchObject({ type: 'session', event: { type: 'sent', bytes: 7 } });
  });

  it('tells of a message that is sent by whoever is told of the session first', async () => {
    const bench = virtualBench();
    bench.server.events$.subscribe((event) => {
      if (event.type === 'session-opened') void event.session.send('welcome');
    });
    await connectedDevice(bench);

    expect(bench.events.map((event) => (event.type === 'session' ? event.event.type : event.type))).toContain('sent');
  });

  it('tells why a handshake failed, and who the peer claimed to be', async () => {
    const bench = virtualBench();
    void bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance();

    expect(bench.events.at(-1)).toEqual({
      type: 'handshake-failed',
      transport: 'memory',
      remoteAddress: 'client-1:1',
      deviceId: '00:11:22:33:44:55',
      error: expect.objectContaining({ name: 'AuthError', code: 'AUTH_HMAC', origin: 'remote' }),
      refusal: undefined,
    });
    expect(bench.failures).toEqual([bench.events.at(-1)]);
  });

  it('tells once of ERROR frames during a handshake, which change nothing', async () => {
    const bench = virtualBench();
    const device = bench.device();
    void device.connectRaw();
    await bench.time.advance();
    for (let n = 0; n < 9; n++) device.sendRaw(encodeFrame(PacketType.ERROR, 0, Uint8Array.of(7, 0x34, 0x12)));
    await bench.time.advance();

    expect(bench.eventTypes).toEqual(['connection-accepted', 'peer-error']);
    expect(bench.events[1]).toMatchObject({ type: 'peer-error', code: 7, detail: 0x1234 });
    expect(device.state).toBe('connecting');
  });

  it('survives a subscriber that throws, and so do the other subscribers and the sessions', async () => {
    const bench = virtualBench();
    const thrown = new Error('a mistake of the subscriber');
    const throws = (): never => {
      throw thrown;
    };
    const reported = await reportedErrors(async () => {
      bench.server.events$.subscribe(throws);
      bench.server.sessions$.subscribe(throws);
      bench.server.handshakeFailures$.subscribe(throws);
      const late: ServerEvent[] = [];
      bench.server.events$.subscribe((event) => late.push(event));
      const device = await connectedDevice(bench);
      device.send('one');
      void bench.device({ psk: 'another pre-shared key' }).connect();
      await bench.time.advance();

      expect(await bench.sessions[0]?.recv()).toEqual(new TextEncoder().encode('one'));
      expect(late).toEqual(bench.events);
      await connectedDevice(bench, { deviceId: deviceIdOf(2) });
    });

    expect(bench.server.sessions.size).toBe(2);
    expect(reported.length).toBeGreaterThan(0);
    expect(new Set(reported)).toEqual(new Set([thrown]));
  });
});

describe('what the server shows when it is printed', () => {
  it('holds no PSK and no plaintext, in itself, in its sessions, in its events and in its failures', async () => {
    const bench = virtualBench({ psk: { default: PSK, [deviceIdOf(1)]: Buffer.from(PSK) } });
    const device = await connectedDevice(bench);
    device.send(SECRET_MESSAGE);
    void bench.sessions[0]?.send(SECRET_MESSAGE);
    void bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance();
    const depth = { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null };
    const printed = [bench.server, bench.sessions, bench.events, bench.failures]
      .map(
        (value) =>
          inspect(value, depth) + JSON.stringify(value, (_, part: unknown) => (isObservable(part) ? '' : part)),
      )
      .join('\n');

    expect(printed).toContain('handshake-failed');
    for (const secret of [PSK, SECRET_MESSAGE]) {
      expect(printed).not.toContain(secret);
      expect(printed).not.toContain(Buffer.from(secret).toString('hex'));
      expect(printed).not.toContain(
        Buffer.from(secret)
          .toString('hex')
          .replace(/..(?!$)/g, '$& '),
      );
      expect(printed).not.toContain([...Buffer.from(secret)].join(', '));
    }
  });
});

const isObservable = (value: unknown): boolean => typeof value === 'object' && value !== null && 'subscribe' in value;

describe('counters', () => {
  it('start at nothing', () => {
    expect(virtualBench().server.counters).toEqual({
      connectionsAccepted: 0,
      refused: {},
      handshakeFailures: {},
      sessionsOpened: 0,
      sessionsRejected: 0,
      sessionsClosed: {},
      dropped: {},
      handlersFailed: 0,
      pskStoreFailures: 0,
    });
  });

  it('account for every connection', async () => {
    const bench = virtualBench({ maxSessions: 2 });
    for (let n = 1; n <= 3; n++) void bench.device({ deviceId: deviceIdOf(n) }).connect();
    await bench.time.advance();
    for (let n = 0; n < 2; n++) void bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance();
    void bench.sessions[0]?.bye();
    await bench.time.advance(60_000);

    expect(bench.server.counters).toMatchObject({
      connectionsAccepted: 5,
      refused: { 'session-limit': 2 },
      handshakeFailures: { HANDSHAKE_REFUSED: 2 },
      sessionsOpened: 2,
      sessionsRejected: 1,
      sessionsClosed: { BYE: 1, TIMEOUT_IDLE: 1 },
    });
  });

  it('do not need anybody who observes', async () => {
    const { environment, network, time } = virtualBench();
    const server = new UsmpServer({ ...environment, psk: PSK });
    await server.listen({ listeners: [network.listener('unobserved')] });
    const dialer = network.dialer('unobserved');
    const device = new SimulatedDevice({ ...environment, dialer, deviceId: deviceIdOf(1), psk: PSK });
    void device.connect();
    await time.advance();
    device.bye();
    await time.advance();

    expect(server.counters).toMatchObject({ connectionsAccepted: 1, sessionsOpened: 1, sessionsClosed: { BYE: 1 } });
  });

  it('are a snapshot', async () => {
    const bench = virtualBench();
    const before = bench.server.counters;
    await connectedDevice(bench);

    expect(before.sessionsOpened).toBe(0);
    expect(bench.server.counters.sessionsOpened).toBe(1);
  });
});
