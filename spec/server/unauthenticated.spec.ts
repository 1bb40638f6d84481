import { describe, expect, it } from '@jest/globals';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type SimulatedDevice } from 'usmp-rx/testing';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { Bench, connectedDevice, deviceIdOf, virtualBench } from './bench.js';

const WRONG = 'another pre-shared key';

/** Connections that say nothing. */
async function silent(bench: ReturnType<typeof virtualBench>, count: number, host: string): Promise<SimulatedDevice[]> {
  const peers = Array.from({ length: count }, () => bench.device({ host }));
  for (const peer of peers) void peer.connectRaw();
  await bench.time.advance();
  return peers;
}

const stillOpen = (peers: readonly SimulatedDevice[]): number =>
  peers.filter(({ state }) => state === 'connecting').length;

describe('a connection without a session', () => {
  it('is closed after 10 s, wherever its handshake stands', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const bench = new Bench({ scheduler });
      const [mute, stuck] = [bench.device({ deviceId: deviceIdOf(1) }), bench.device({ deviceId: deviceIdOf(2) })];
      void mute.connectRaw();
      cold('---h').subscribe(() => {
        void stuck.connectRaw();
      });
      cold('-----h').subscribe(() => stuck.sendRaw(encodeFrame(PacketType.HELLO, 0, new Uint8Array(38).fill(9))));

      const failures$ = bench.server.handshakeFailures$.pipe(map(({ error, deviceId }) => `${error.code} ${deviceId}`));
      expectObservable(failures$, '^ 11s !').toBe('10s m--s', {
        m: 'TIMEOUT_HANDSHAKE undefined',
        s: 'TIMEOUT_HANDSHAKE 09:09:09:09:09:09',
      });
      expectObservable(mute.ends$.pipe(map(({ error }) => error?.code)), '^ 11s !').toBe('10s e', {
        e: 'CLOSED_WITHOUT_BYE',
      });
    });
  });

  it('is closed after handshakeTimeoutMs where a PSK function never answers', async () => {
    const bench = virtualBench({ handshakeTimeoutMs: 300, psk: () => new Promise(() => {}) });
    void bench.device().connect();
    await bench.time.advance(299);
    expect(bench.failureCodes).toEqual([]);

    await bench.time.advance(1);
    expect(bench.failureCodes).toEqual(['TIMEOUT_HANDSHAKE']);
  });

  it('takes one of the places of its address, and others have theirs', async () => {
    const bench = virtualBench({ maxUnauthenticatedPerAddress: 3 });
    expect(stillOpen(await silent(bench, 5, 'greedy'))).toBe(3);
    await connectedDevice(bench, { host: 'modest' });

    expect(bench.server.counters.refused).toEqual({ 'address-limit': 2 });
    expect(bench.events).toContainEqual({
      type: 'connection-refused',
      reason: 'address-limit',
      transport: 'memory',
      remoteAddress: 'greedy:4',
    });
  });

  it('takes one of the places of all', async () => {
    const bench = virtualBench({ maxUnauthenticated: 4 });
    await silent(bench, 2, 'one');
    await silent(bench, 2, 'two');
    const refused = await silent(bench, 1, 'three');

    expect(stillOpen(refused)).toBe(0);
    expect(bench.server.counters.refused).toEqual({ 'unauthenticated-limit': 1 });
  });

  it('gives its place back when it closes, times out, fails or authenticates', async () => {
    const bench = virtualBench({ maxUnauthenticatedPerAddress: 1, sessionPolicy: 'allow', handshakeTimeoutMs: 500 });
    const host = 'shared';
    (await silent(bench, 1, host))[0]?.end();
    await bench.time.advance();
    await silent(bench, 1, host);
    await bench.time.advance(500);
    void bench.device({ host, psk: WRONG }).connect();
    await bench.time.advance();
    await connectedDevice(bench, { host });
    await connectedDevice(bench, { host });

    expect(bench.server.counters).toMatchObject({ refused: {}, sessionsOpened: 2 });
  });

  it('is refused as a broken connection, at once', async () => {
    const bench = virtualBench({ maxUnauthenticatedPerAddress: 1 });
    await silent(bench, 1, 'here');
    const connected = bench.device({ host: 'here' }).connect();
    await bench.time.advance();

    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED', cause: expect.anything() });
  });

  it('that closes again is not held against its address', async () => {
    const bench = virtualBench({ maxUnauthenticatedPerAddress: 5 });
    for (let n = 0; n < 100; n++) {
      const [peer] = await silent(bench, 1, 'here');
      peer?.end();
      await bench.time.advance();
    }
    await connectedDevice(bench, { host: 'here' });

    expect(bench.server.counters).toMatchObject({ connectionsAccepted: 101, refused: {} });
  });
});

describe('handshakes per second', () => {
  it('are limited to maxHandshakesPerSecond, and connections that send no HELLO do not count', async () => {
    const bench = virtualBench({ maxHandshakesPerSecond: 5 });
    await silent(bench, 20, 'quiet');
    const devices = Array.from({ length: 8 }, (_, n) => bench.device({ deviceId: deviceIdOf(n) }));
    for (const device of devices) void device.connect();
    await bench.time.advance();
    expect(bench.sessions).toHaveLength(5);
    expect(bench.failures.map(({ refusal }) => refusal)).toEqual(['rate-limit', 'rate-limit', 'rate-limit']);

    await bench.time.advance(400);
    for (const device of devices.slice(5)) void device.connect();
    await bench.time.advance();
    expect(bench.sessions).toHaveLength(7);
  });

  it('are answered with a broken connection when there are too many, so that no client doubts its PSK', async () => {
    const bench = virtualBench({ maxHandshakesPerSecond: 1 });
    await connectedDevice(bench);
    const connected = bench.device().connect();
    await bench.time.advance();

    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED', cause: expect.anything() });
  });
});

describe('failed authentications', () => {
  const fail = async (bench: ReturnType<typeof virtualBench>, times: number, host = 'nat'): Promise<void> => {
    for (let n = 0; n < times; n++) {
      void bench.device({ host, psk: WRONG }).connect();
      await bench.time.advance();
    }
  };
  /** Whether a device is let in now. */
  const tries = async (bench: ReturnType<typeof virtualBench>, host: string, deviceId?: string): Promise<boolean> => {
    const device = bench.device({ host, ...(deviceId !== undefined && { deviceId }) });
    void device.connect();
    await bench.time.advance();
    return device.state === 'open';
  };

  it('slow their pair of address and device id down: 1 s, 2 s, 4 s after five that are free', async () => {
    const bench = virtualBench({ sessionPolicy: 'allow' });
    await fail(bench, 5);
    for (const delayMs of [1_000, 2_000, 4_000]) {
      await fail(bench, 1);
      await bench.time.advance(delayMs - 1);
      expect(await tries(bench, 'nat')).toBe(false);
      await bench.time.advance(1);
    }

    expect(bench.failureCodes.filter((code) => code === 'AUTH_HMAC')).toHaveLength(8);
    expect(bench.server.counters.refused).toEqual({ 'slow-down': 3 });
    expect(await tries(bench, 'nat')).toBe(true);
  });

  it('wait at most 60 s, and a refusal does not count as a failure', async () => {
    const bench = virtualBench();
    await fail(bench, 5);
    for (let n = 0; n < 10; n++) {
      await fail(bench, 1);
      await bench.time.advance(60_000);
    }
    await fail(bench, 50);
    await bench.time.advance(60_000);

    expect(await tries(bench, 'nat')).toBe(true);
  });

  it('lock no neighbour behind the address out, nor the device elsewhere', async () => {
    const bench = virtualBench();
    await fail(bench, 6);

    expect(await tries(bench, 'nat')).toBe(false);
    expect(await tries(bench, 'nat', deviceIdOf(7))).toBe(true);
    expect(await tries(bench, 'elsewhere')).toBe(true);
  });

  it('are forgotten after a success', async () => {
    const bench = virtualBench({ freeAuthenticationFailures: 1 });
    await fail(bench, 1);
    expect(await tries(bench, 'nat')).toBe(true);
    await fail(bench, 1);
    expect(await tries(bench, 'nat')).toBe(true);
  });

  it('do not differ for a device that nobody knows', async () => {
    const bench = virtualBench({ psk: {} });
    await fail(bench, 6);
    expect(bench.failureCodes).toEqual(Array.from({ length: 6 }, () => 'AUTH_UNKNOWN_DEVICE'));
    await fail(bench, 1);

    expect(bench.failures.at(-1)).toMatchObject({ refusal: 'slow-down', deviceId: '00:11:22:33:44:55' });
  });

  it('are only those: other failures slow nobody down', async () => {
    const bench = virtualBench();
    for (let n = 0; n < 20; n++) {
      const device = bench.device({ host: 'nat' });
      void device.connectRaw();
      await bench.time.advance();
      device.sendRaw(encodeFrame(PacketType.HELLO, 0, new Uint8Array(37)));
      await bench.time.advance();
    }

    expect(bench.server.counters.handshakeFailures).toEqual({ HANDSHAKE_PAYLOAD_LENGTH: 20 });
    expect(await tries(bench, 'nat')).toBe(true);
  });

  it('slow nobody down where maxAuthenticationDelayMs is 0', async () => {
    const bench = virtualBench({ maxAuthenticationDelayMs: 0 });
    await fail(bench, 30);

    expect(await tries(bench, 'nat')).toBe(true);
  });
});
