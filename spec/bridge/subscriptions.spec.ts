import { afterEach, describe, expect, it } from '@jest/globals';
import {
  datagramNetwork,
  FIELDED_DATAGRAM_PEERS,
  SimulatedDatagramDevice,
  SimulatedDevice,
  text,
} from 'usmp-rx/testing';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { DEVICE_ID, deviceIdOf, PSK } from '../server/bench.js';
import { bridgeBench, bridgeFor, closeBenches, deviceIn, READ_TOKEN, type Heard } from './bench.js';

afterEach(closeBenches);

const textsOf = (heard: readonly Heard[]): string[] =>
  heard.map((one) => (one.type === 'message' ? `${one.id}: ${text(one.payload)}` : one.type));

describe('a subscription of devices', () => {
  it('gets those that are here, with what is known of them', async () => {
    const bench = await bridgeBench();
    await bench.time.advance(10_000);
    const device = await bench.device();
    device.send('12345');
    await bench.time.advance(1_000);
    const dashboard = await bench.dashboard(READ_TOKEN);
    await dashboard.subscribe(1, 'devices');

    expect(await dashboard.next()).toEqual({
      type: 'devices',
      id: 1,
      devices: [
        {
          deviceId: DEVICE_ID,
          isOnline: true,
          transport: 'memory',
          remoteAddress: 'client-1:1',
          sessionId: bench.bench.sessions[0]?.sessionId,
          sinceMs: 10_000,
          lastSeenMs: 10_000,
          messages: 1,
          bytes: 5,
          messagesPerSecond: 1,
          drops: 0,
        },
      ],
    });
  });

  it('gets an empty list where nobody is here', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'devices');

    expect(await dashboard.next()).toEqual({ type: 'devices', id: 1, devices: [] });
  });

  it('is told at the next tick who comes and who goes', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'devices');
    await dashboard.nextOf('devices');
    const device = await bench.device();
    await bench.time.advance(50);
    const came = await dashboard.nextOf('devices-changed');
    device.cut();
    await bench.time.advance(50);
    const went = await dashboard.nextOf('devices-changed');

    expect(deviceIn(came.devices)).toMatchObject({ isOnline: true });
    expect(deviceIn(went.devices)).toMatchObject({ isOnline: false, remoteAddress: 'client-1:1' });
  });

  it('shows the newer session of a device that came again, before and after the older one ends', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await bench.device();
    await dashboard.subscribe(1, 'devices');
    await bench.device();
    await bench.time.advance(50);
    const { devices } = await dashboard.nextOf('devices-changed');

    expect(devices).toHaveLength(1);
    expect(deviceIn(devices)).toMatchObject({ isOnline: true, sessionId: bench.bench.sessions[1]?.sessionId });
  });

  it('shows the older session again where both may live and the newer one ends', async () => {
    const bench = await bridgeBench({}, { sessionPolicy: 'allow' });
    const dashboard = await bench.dashboard();
    await bench.device();
    const newer = await bench.device();
    await dashboard.subscribe(1, 'devices');
    newer.cut();
    await bench.time.advance(50);
    const { devices } = await dashboard.nextOf('devices-changed');

    expect(deviceIn(devices)).toMatchObject({ isOnline: true, sessionId: bench.bench.sessions[0]?.sessionId });
  });

  it('is told of messages, bytes, rate and last sign of life every second, of what has changed alone', async () => {
    const bench = await bridgeBench();
    const device = await bench.device(deviceIdOf(1));
    const quiet = await bench.device(deviceIdOf(2));
    const dashboard = await bench.dashboard();
    await bench.time.advance(1_000);
    await dashboard.subscribe(1, 'devices');
    await dashboard.nextOf('devices');
    const sent: unknown[] = [];
    for (let second = 1; second <= 2; second++) {
      for (let n = 0; n < 5; n++) {
        await bench.time.advance(199);
        device.send('xx');
        await bench.time.advance(1);
      }
      const { devices } = await dashboard.nextOf('devices-changed');
      sent.push(devices.map(({ deviceId, messages, bytes }) => [deviceId, messages, bytes]));
    }
    await bench.time.advance(1_000);
    quiet.ping();
    await bench.time.advance(1_000);
    const heard = await dashboard.heardByNow();
    const changes = heard.flatMap((one) => (one.type === 'devices-changed' ? one.devices : []));

    expect(sent).toEqual([[[deviceIdOf(1), 5, 10]], [[deviceIdOf(1), 10, 20]]]);
    expect(changes.filter(({ deviceId }) => deviceId === deviceIdOf(2))).toMatchObject([
      { messages: 0, lastSeenMs: 4_000 },
    ]);
  });

  it('sees a rate fall to nothing when a device falls silent', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'devices');
    for (let n = 0; n < 50; n++) {
      device.send('x');
      await bench.time.advance(200);
    }
    for (let second = 0; second < 8; second++) await bench.time.advance(1_000);
    const rates = (await dashboard.heardByNow()).flatMap((one) =>
      one.type === 'devices-changed' ? one.devices.map(({ messagesPerSecond }) => messagesPerSecond) : [],
    );

    expect(Math.max(...rates)).toBe(5);
    expect(rates.slice(-6)).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it('sees those that it names alone', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await bench.device(deviceIdOf(1));
    await bench.device(deviceIdOf(2));
    await bench.time.advance(50);
    await dashboard.subscribe(1, 'devices', { deviceIds: [deviceIdOf(2), deviceIdOf(3)] });
    const { devices } = await dashboard.nextOf('devices');
    await bench.device(deviceIdOf(3));
    await bench.device(deviceIdOf(4));
    await bench.time.advance(50);
    const changed = await dashboard.nextOf('devices-changed');

    expect(devices.map(({ deviceId }) => deviceId)).toEqual([deviceIdOf(2)]);
    expect(changed.devices.map(({ deviceId }) => deviceId)).toEqual([deviceIdOf(3)]);
  });

  it('is told whom the bridge forgets: the device that went first, never one that is here', async () => {
    const bench = await bridgeBench({ maxDevices: 2 });
    const dashboard = await bench.dashboard();
    await bench.device(deviceIdOf(1));
    const second = await bench.device(deviceIdOf(2));
    await bench.time.advance(50);
    await dashboard.subscribe(1, 'devices');
    await dashboard.nextOf('devices');
    second.cut();
    await bench.device(deviceIdOf(3));
    await bench.device(deviceIdOf(4));
    await bench.time.advance(50);
    const { devices, forgotten } = await dashboard.nextOf('devices-changed');
    await dashboard.subscribe(2, 'devices');
    const known = await dashboard.nextOf('devices');

    expect(forgotten).toEqual([deviceIdOf(2)]);
    expect(devices.map(({ deviceId }) => deviceId)).toEqual([deviceIdOf(3), deviceIdOf(4)]);
    expect(known.devices.map(({ deviceId }) => deviceId)).toEqual([1, 3, 4].map(deviceIdOf));
  });

  it('gets what is too long for one message in several', async () => {
    const bench = await bridgeBench({ maxBufferedBytes: 65_536 });
    const count = 250;
    for (let n = 0; n < count; n++) {
      void bench.bench.device({ deviceId: deviceIdOf(n), host: `${n} ${'x'.repeat(100)}` }).connect();
    }
    await bench.time.advance(100);
    expect(bench.bench.sessions).toHaveLength(count);
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'devices');
    const first = await dashboard.next();
    const all = [first];
    const deviceIds = new Set<string>();
    while (deviceIds.size < count) {
      for (const heard of all.splice(0)) {
        if (heard.type === 'devices' || heard.type === 'devices-changed') {
          for (const { deviceId } of heard.devices) deviceIds.add(deviceId);
        }
      }
      await bench.time.advance(50);
      if (deviceIds.size < count) all.push(await dashboard.next());
    }

    expect(first.type).toBe('devices');
    expect(first.type === 'devices' && first.devices.length).toBeLessThan(count);
  });
});

describe('a subscription of messages', () => {
  it('gets each message of all devices, with device, time and payload', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard(READ_TOKEN);
    const [one, two] = [await bench.device(deviceIdOf(1)), await bench.device(deviceIdOf(2))];
    await dashboard.subscribe(7, 'messages');
    await bench.time.advance(1_500);
    one.send('first');
    await bench.time.advance(10);
    two.send(new Uint8Array(1_808).fill(9));
    one.send('');
    await bench.time.advance(10);

    expect(await dashboard.heardByNow()).toEqual(
      [
        { type: 'message', id: 7, deviceId: deviceIdOf(1), atMs: 1_500, payload: new Uint8Array(Buffer.from('first')) },
        { type: 'message', id: 7, deviceId: deviceIdOf(2), atMs: 1_510, payload: new Uint8Array(1_808).fill(9) },
        { type: 'message', id: 7, deviceId: deviceIdOf(1), atMs: 1_510, payload: new Uint8Array(0) },
      ].map((message) => ({ ...message, payload: Buffer.from(message.payload) })),
    );
  });

  it('takes none away from who serves the sessions', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    const device = await bench.device();
    await dashboard.subscribe(1, 'messages');
    device.send('for both');
    await bench.time.advance();

    expect(text((await dashboard.nextOf('message')).payload)).toBe('for both');
    expect(text(await bench.bench.sessions[0]!.recv())).toBe('for both');
  });

  it('gets those of the devices that it names, also of one that comes later', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages', { deviceIds: [deviceIdOf(1), deviceIdOf(3)] });
    for (const n of [1, 2, 3]) {
      const device = await bench.device(deviceIdOf(n));
      device.send(`of ${n}`);
    }
    await bench.time.advance();

    expect(textsOf(await dashboard.heardByNow())).toEqual(['1: of 1', '1: of 3']);
  });

  it('gets the same message once for each subscription, until it unsubscribes', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    const device = await bench.device();
    await dashboard.subscribe(1, 'messages');
    await dashboard.subscribe(2, 'messages', { deviceIds: [DEVICE_ID] });
    device.send('a');
    await bench.time.advance();
    const both = textsOf(await dashboard.heardByNow());
    dashboard.say({ type: 'unsubscribe', id: 1 });
    await dashboard.heardByNow();
    device.send('b');
    await bench.time.advance();

    expect(both).toEqual(['1: a', '2: a']);
    expect(textsOf(await dashboard.heardByNow())).toEqual(['2: b']);
  });

  it('reaches dashboards that chose different numbers with their own', async () => {
    const bench = await bridgeBench();
    const dashboards = [await bench.dashboard(), await bench.dashboard(), await bench.dashboard()];
    await Promise.all(dashboards.map((dashboard, n) => dashboard.subscribe(n % 2, 'messages')));
    const device = await bench.device();
    device.send('a');
    await bench.time.advance();

    expect(await Promise.all(dashboards.map(async (one) => textsOf(await one.heardByNow())))).toEqual([
      ['0: a'],
      ['1: a'],
      ['0: a'],
    ]);
  });

  it('with everyMs gets the latest of each device so often, and nothing of one that sent nothing', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    const [one, two] = [await bench.device(deviceIdOf(1)), await bench.device(deviceIdOf(2))];
    await dashboard.subscribe(1, 'messages', { everyMs: 250 });
    const heard: string[][] = [];
    for (let n = 1; n <= 6; n++) {
      one.send(`one ${n}`);
      if (n === 2) two.send('two');
      await bench.time.advance(125);
      heard.push(textsOf(await dashboard.heardByNow()));
    }

    expect(heard).toEqual([[], ['1: one 2', '1: two'], [], ['1: one 4'], [], ['1: one 6']]);
  });

  it.each([50, 75, 240, 1_000])('with everyMs %d gets that many on average', async (everyMs) => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    const device = await bench.device();
    await dashboard.subscribe(1, 'messages', { everyMs });
    for (let n = 0; n < 200; n++) {
      device.send(String(n));
      await bench.time.advance(10);
    }
    const heard = await dashboard.heardByNow();

    expect(Math.abs(heard.length - 2_000 / everyMs)).toBeLessThanOrEqual(1);
  });

  it('stays while a device goes and comes again', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages', { deviceIds: [DEVICE_ID] });
    for (const word of ['before', 'after']) {
      const device = await bench.device();
      device.send(word);
      await bench.time.advance();
      device.cut();
      await bench.time.advance(1_000);
    }

    expect(textsOf(await dashboard.heardByNow())).toEqual(['1: before', '1: after']);
  });
});

describe('a subscription of events', () => {
  it('is told of sessions and failed handshakes', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard(READ_TOKEN);
    await dashboard.subscribe(4, 'events');
    await bench.time.advance(100);
    const device = await bench.device();
    device.bye();
    await bench.time.advance();
    (await bench.device()).cut();
    await bench.time.advance();
    void bench.bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance();
    const events = (await dashboard.heardByNow()).map((heard) => heard.type === 'event' && heard.event);

    const opened = { event: 'session-opened', atMs: 100, deviceId: DEVICE_ID, transport: 'memory' };
    const closed = { event: 'session-closed', atMs: 100, deviceId: DEVICE_ID, origin: 'remote' };
    expect(events).toEqual([
      { ...opened, remoteAddress: 'client-1:1' },
      { ...closed, code: null, message: 'the session ended with BYE' },
      { ...opened, remoteAddress: 'client-2:1' },
      { ...closed, code: 'CLOSED_WITHOUT_BYE', message: expect.any(String) },
      {
        event: 'handshake-failed',
        atMs: 100,
        deviceId: DEVICE_ID,
        transport: 'memory',
        remoteAddress: 'client-3:1',
        code: 'AUTH_HMAC',
        message: expect.any(String),
      },
    ]);
  });

  it('is told once a second how many connections were refused, by address without port', async () => {
    const bench = await bridgeBench({}, { maxUnauthenticatedPerAddress: 1, handshakeTimeoutMs: 60_000 });
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'events');
    const dialer = bench.bench.network.dialer('gateway', { host: 'pushy' });
    for (let n = 0; n < 4; n++) {
      const device = new SimulatedDevice({
        ...bench.bench.environment,
        dialer,
        deviceId: DEVICE_ID,
        psk: 'x'.repeat(16),
      });
      void device.connectRaw();
    }
    await bench.time.advance(999);
    const early = await dashboard.heardByNow();
    await bench.time.advance(1);
    const heard = await dashboard.heardByNow();

    expect(early).toEqual([]);
    expect(heard).toEqual([
      {
        type: 'event',
        id: 1,
        event: { event: 'refused', atMs: 1_000, remoteAddress: 'pushy', reason: 'address-limit', count: 3 },
      },
    ]);
  });

  it('is told once a second what was dropped, in sessions and outside, which the device shows too', async () => {
    const { bench, time, dashboard: open } = await bridgeBench();
    const radio = datagramNetwork({ ...bench.environment, seed: 'drops' });
    await bench.server.listen({ listeners: [radio.listener('radio')] });
    const at = { address: 'sensor', port: 1 };
    const gateway = { address: 'radio', port: 1 };
    const dialer = radio.dialer('radio', { host: 'sensor' });
    const behaviour = FIELDED_DATAGRAM_PEERS.esp32;
    const device = new SimulatedDatagramDevice({
      ...bench.environment,
      dialer,
      behaviour,
      deviceId: DEVICE_ID,
      psk: PSK,
    });
    void device.connect();
    await time.advance(2_000);
    expect(device.state).toBe('open');
    const dashboard = await open();
    await dashboard.subscribe(2, 'devices');
    await dashboard.heardByNow();
    await dashboard.subscribe(1, 'events');
    await dashboard.heardByNow();
    for (let n = 0; n < 3; n++) radio.inject(Uint8Array.of(1, 2, 3), { from: at, to: gateway });
    radio.inject(encodeFrame(PacketType.PING, 0, new Uint8Array(28)), {
      from: { address: 'stranger', port: 7 },
      to: gateway,
    });
    await time.advance(1_000);
    const heard = await dashboard.heardByNow();
    const events = heard.flatMap((one) => (one.type === 'event' ? [one.event] : []));
    const devices = heard.flatMap((one) => (one.type === 'devices-changed' ? one.devices : []));

    expect(events).toEqual([
      { event: 'dropped', atMs: 3_000, deviceId: DEVICE_ID, reason: 'malformed', count: 3 },
      { event: 'dropped', atMs: 3_000, deviceId: null, reason: 'unknown-peer', count: 1 },
    ]);
    expect(deviceIn(devices)).toMatchObject({ drops: 3, transport: 'udp' });
  });

  it('is told first what happened last, 100 events at most, the oldest first', async () => {
    const bench = await bridgeBench();
    for (let n = 0; n < 60; n++) {
      const device = await bench.device(deviceIdOf(n));
      device.bye();
      await bench.time.advance(10);
    }
    void bench.bench.device({ psk: 'another pre-shared key' }).connect();
    await bench.time.advance();
    const dashboard = await bench.dashboard(READ_TOKEN);
    await dashboard.subscribe(1, 'events');
    await bench.device(deviceIdOf(99));
    const events = (await dashboard.heardByNow()).flatMap((heard) => (heard.type === 'event' ? [heard.event] : []));

    expect(events).toHaveLength(101);
    expect(events[0]).toMatchObject({ event: 'session-closed', deviceId: deviceIdOf(10), atMs: 100 });
    expect(events[98]).toMatchObject({ event: 'session-closed', deviceId: deviceIdOf(59) });
    expect(events[99]).toMatchObject({ event: 'handshake-failed', code: 'AUTH_HMAC', atMs: 600 });
    expect(events[100]).toMatchObject({ event: 'session-opened', deviceId: deviceIdOf(99) });
  });

  it('is told first what happened last, also of drops and refusals, and of the devices that it names alone', async () => {
    const bench = await bridgeBench({}, { maxUnauthenticatedPerAddress: 1, handshakeTimeoutMs: 60_000 });
    const dialer = bench.bench.network.dialer('gateway', { host: 'pushy' });
    for (let n = 0; n < 3; n++) {
      void new SimulatedDevice({ ...bench.bench.environment, dialer, deviceId: DEVICE_ID, psk: PSK }).connectRaw();
    }
    for (const n of [1, 2]) await bench.device(deviceIdOf(n));
    await bench.time.advance(1_000);
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'events');
    const all = await dashboard.heardByNow();
    await dashboard.subscribe(2, 'events', { deviceIds: [deviceIdOf(2)] });

    expect(all).toMatchObject([
      { event: { event: 'session-opened', deviceId: deviceIdOf(1) } },
      { event: { event: 'session-opened', deviceId: deviceIdOf(2) } },
      { event: { event: 'refused', remoteAddress: 'pushy', count: 2 } },
    ]);
    expect(await dashboard.heardByNow()).toMatchObject([
      { id: 2, event: { event: 'session-opened', deviceId: deviceIdOf(2) } },
    ]);
  });

  it('sees the events of the devices that it names alone', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'events', { deviceIds: [deviceIdOf(2)] });
    for (const n of [1, 2, 3]) await bench.device(deviceIdOf(n));
    const nobody = bench.bench.device();
    void nobody.connectRaw();
    await bench.time.advance();
    nobody.sendRaw(encodeFrame(PacketType.PING, 0, new Uint8Array(0)));
    await bench.time.advance();

    expect(bench.bench.failures).toHaveLength(1);
    expect(await dashboard.heardByNow()).toMatchObject([
      { event: { event: 'session-opened', deviceId: deviceIdOf(2) } },
    ]);
  });
});

describe('a bridge that is made after the server has sessions', () => {
  it('knows them', async () => {
    const { bench, time, device } = await bridgeBench();
    const connected = await device();
    const later = await bridgeFor(bench);
    const dashboard = await later.dashboard();
    await dashboard.subscribe(1, 'devices');
    const { devices } = await dashboard.nextOf('devices');
    connected.send('one');
    await time.advance(1_000);
    const changed = await dashboard.nextOf('devices-changed');

    expect(deviceIn(devices)).toMatchObject({ isOnline: true, messages: 0 });
    expect(deviceIn(changed.devices)).toMatchObject({ messages: 1 });
  });
});
