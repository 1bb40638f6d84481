import { describe, expect, it } from '@jest/globals';
import { type SimulatedDevice } from 'usmp-rx/testing';
import { encodeFrame, PacketType, type UsmpError } from '../../src/protocol/index.js';
import { connectedDevice, deviceIdOf, virtualBench } from './bench.js';

const heardBy = (device: SimulatedDevice): PacketType[] => {
  const heard: PacketType[] = [];
  device.frames$.subscribe(({ type }) => heard.push(type));
  return heard;
};

describe('a device that authenticates while it has a session', () => {
  it('replaces it by default: the old session gets BYE, the new one lives', async () => {
    const bench = virtualBench();
    const old = await connectedDevice(bench);
    const heard = heardBy(old);
    const young = await connectedDevice(bench);

    expect(heard).toEqual([PacketType.BYE]);
    expect(await bench.sessions[0]?.closed).toEqual({ origin: 'local' });
    expect([...bench.server.sessions.keys()]).toEqual([young.sessionId]);
    expect(bench.server.session(young.deviceId)).toBe(bench.sessions[1]);
    expect(bench.events).toContainEqual({
      type: 'session-opened',
      session: bench.sessions[1],
      replaced: [bench.sessions[0]],
    });
  });

  it('replaces one whose peer is gone without a word, which is then closed when the limit is over', async () => {
    const bench = virtualBench({ closeTimeoutMs: 300 });
    (await connectedDevice(bench)).stopReading();
    await connectedDevice(bench);
    expect(bench.server.sessions.size).toBe(2);
    expect(bench.server.session('00:11:22:33:44:55')).toBe(bench.sessions[1]);
    await bench.time.advance(300);

    expect([...bench.server.sessions.values()]).toEqual([bench.sessions[1]]);
  });

  it('replaces nothing before it has authenticated', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    void bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance(10_000);

    expect(device.state).toBe('open');
    expect([...bench.server.sessions.values()]).toEqual(bench.sessions);
  });

  it("replaces no other device's session", async () => {
    const bench = virtualBench();
    await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    await connectedDevice(bench, { deviceId: deviceIdOf(2) });

    expect(bench.server.sessions.size).toBe(2);
  });

  it('is rejected under reject: it gets SESSION_OK and BYE, so that it does not doubt its PSK', async () => {
    const bench = virtualBench({ sessionPolicy: 'reject' });
    const device = await connectedDevice(bench);
    const newcomer = bench.device();
    const heard = heardBy(newcomer);
    await Promise.all([newcomer.connect(), bench.time.advance()]);
    await bench.time.advance();

    expect(heard).toEqual([PacketType.BYE]);
    expect(device.state).toBe('open');
    expect(bench.sessions).toHaveLength(1);
    expect(bench.server.sessions.size).toBe(1);
    expect(bench.eventTypes.at(-1)).toBe('session-rejected');
    expect(bench.server.counters).toMatchObject({ sessionsOpened: 1, sessionsRejected: 1, sessionsClosed: {} });

    const closed = bench.server.close();
    await bench.time.advance();
    await expect(closed).resolves.toBeUndefined();
  });

  it('is taken under reject as soon as the old session is being closed', async () => {
    const bench = virtualBench({ sessionPolicy: 'reject' });
    (await connectedDevice(bench)).stopReading();
    void bench.sessions[0]?.bye();
    await connectedDevice(bench);

    expect(bench.sessions).toHaveLength(2);
  });

  it('has both under allow', async () => {
    const bench = virtualBench({ sessionPolicy: 'allow' });
    const devices = [await connectedDevice(bench), await connectedDevice(bench)];
    await bench.time.advance(1_000);

    expect(devices.map(({ state }) => state)).toEqual(['open', 'open']);
    expect(bench.server.sessions.size).toBe(2);
    expect(bench.server.session('00:11:22:33:44:55')).toBe(bench.sessions[1]);
  });

  it('that authenticates twice at once has one session in the end', async () => {
    const bench = virtualBench();
    const devices = Array.from({ length: 10 }, () => bench.device());
    for (const device of devices) void device.connect();
    await bench.time.advance(1);

    expect(bench.sessions).toHaveLength(10);
    expect([...bench.server.sessions.values()]).toEqual([bench.sessions.at(-1)]);
    expect(devices.filter(({ state }) => state === 'open')).toHaveLength(1);
  });
});

describe('maxSessions', () => {
  /** How attempts to connect end: `connected`, or the code of the error. */
  const outcomes = async (bench: ReturnType<typeof virtualBench>, connects: Promise<void>[]): Promise<string[]> => {
    const ends = connects.map((connected) =>
      connected.then(
        () => 'connected',
        (error: unknown) => (error as UsmpError).code,
      ),
    );
    await bench.time.advance(1);
    return Promise.all(ends);
  };

  it('refuses at HELLO who would be one too many, and not as if the PSK were wrong', async () => {
    const bench = virtualBench({ maxSessions: 2 });
    for (const n of [1, 2]) await connectedDevice(bench, { deviceId: deviceIdOf(n) });
    const third = bench.device({ deviceId: deviceIdOf(3) });

    expect(await outcomes(bench, [third.connect()])).toEqual(['HANDSHAKE_INTERRUPTED']);
    expect(bench.failures).toEqual([
      expect.objectContaining({
        deviceId: deviceIdOf(3),
        refusal: 'session-limit',
        error: expect.objectContaining({ name: 'HandshakeError', code: 'HANDSHAKE_REFUSED', origin: 'local' }),
      }),
    ]);
    expect(bench.server.counters.refused).toEqual({ 'session-limit': 1 });
  });

  it('is kept when more prove themselves at once than there is room for: the last get BYE', async () => {
    const bench = virtualBench({ maxSessions: 2 });
    const devices = [1, 2, 3].map((n) => bench.device({ deviceId: deviceIdOf(n) }));
    for (const device of devices) void device.connect();
    await bench.time.advance(1);

    expect(devices.map(({ state }) => state)).toEqual(['open', 'open', 'closed']);
    expect(bench.server.sessions.size).toBe(2);
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: 'session-rejected', deviceId: deviceIdOf(3), reason: 'session-limit' }),
    );
  });

  it('is no matter of handshakes that never end: who says HELLO and nothing more takes no room', async () => {
    const bench = virtualBench({ maxSessions: 1 });
    const silent = bench.device({ deviceId: deviceIdOf(1) });
    await Promise.all([silent.connectRaw(), bench.time.advance()]);
    silent.sendRaw(encodeFrame(PacketType.HELLO, 0, new Uint8Array(38).fill(9)));
    await bench.time.advance(1);

    await connectedDevice(bench, { deviceId: deviceIdOf(2) });
    expect(bench.server.sessions.size).toBe(1);
  });

  it('has room again when a session is closed, or a handshake failed', async () => {
    const bench = virtualBench({ maxSessions: 1 });
    void bench.device({ deviceId: deviceIdOf(1), psk: 'another pre-shared key' }).connect();
    await bench.time.advance(1);
    const device = await connectedDevice(bench, { deviceId: deviceIdOf(2) });
    device.bye();
    await bench.time.advance();
    await connectedDevice(bench, { deviceId: deviceIdOf(3) });

    expect(bench.sessions).toHaveLength(2);
  });

  it('has room again as soon as a session is being closed', async () => {
    const bench = virtualBench({ maxSessions: 1 });
    (await connectedDevice(bench, { deviceId: deviceIdOf(1) })).stopReading();
    void bench.sessions[0]?.bye();
    await connectedDevice(bench, { deviceId: deviceIdOf(2) });

    expect(bench.server.sessions.size).toBe(2);
  });

  it('lets a device replace its own session', async () => {
    const bench = virtualBench({ maxSessions: 1 });
    await connectedDevice(bench);
    await connectedDevice(bench);

    expect(bench.sessions).toHaveLength(2);
    expect(bench.server.sessions.size).toBe(1);
  });

  it('refuses a second session of a device under allow', async () => {
    const bench = virtualBench({ maxSessions: 1, sessionPolicy: 'allow' });
    await connectedDevice(bench);

    expect(await outcomes(bench, [bench.device().connect()])).toEqual(['HANDSHAKE_INTERRUPTED']);
  });
});
