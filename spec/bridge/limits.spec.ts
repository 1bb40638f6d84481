import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { BRIDGE_SUBPROTOCOL, BridgeCloseCode } from '../../src/bridge/protocol.js';
import { DEVICE_ID, deviceIdOf } from '../server/bench.js';
import { upgrade } from '../transport/websocket-ends.js';
import { activity, bridgeBench, closeBenches, COMMAND_TOKEN, inHeader } from './bench.js';

afterEach(closeBenches);

describe('the limit on clients', () => {
  it('closes one more with LIMIT, and lets one in when another has gone', async () => {
    const bench = await bridgeBench({ maxClients: 2 });
    const [first] = [await bench.dashboard(), await bench.dashboard()];
    const thirdGone = activity(bench, 'client-closed');
    const third = await bench.dial([BRIDGE_SUBPROTOCOL, inHeader(COMMAND_TOKEN)]);
    expect((await third.closed).code).toBe(BridgeCloseCode.LIMIT);
    expect(await thirdGone).toMatchObject({ reason: 'LIMIT' });
    expect(bench.bridge.clients).toBe(2);
    const gone = activity(bench, 'client-closed');
    first.webSocket.close();
    await gone;

    await bench.dashboard();
    expect(bench.bridge.clients).toBe(2);
  });

  it('is not used up by those that show no token', async () => {
    const bench = await bridgeBench({ maxClients: 3 });
    const silent = await Promise.all(Array.from({ length: 3 }, () => bench.dial()));
    const oneMore = await bench.dial();

    expect((await oneMore.closed).code).toBe(BridgeCloseCode.LIMIT);
    for (let n = 0; n < 3; n++) await bench.dashboard();
    expect(bench.bridge.clients).toBe(3);
    expect(silent.every(({ webSocket }) => webSocket.readyState === WebSocket.OPEN)).toBe(true);
  });

  it.each([
    ['sends what is no WebSocket', Buffer.from([0xff, 0xff])],
    ['closes, and stays all the same', Buffer.from([0x88, 0x80, 0, 0, 0, 0])],
  ])('is not used up by one that %s', async (_, bytes) => {
    const bench = await bridgeBench({ maxClients: 1 });
    const socket = connect({ port: Number(new URL(bench.url).port), host: '127.0.0.1', allowHalfOpen: true });
    const protocols = `${BRIDGE_SUBPROTOCOL}, ${inHeader(COMMAND_TOKEN)}`;
    socket.write(
      upgrade('/bridge', protocols)
        .map((line) => `${line}\r\n`)
        .join(''),
    );
    await activity(bench, 'client-opened');
    socket.write(bytes);
    // The bridge's close, which this one does not answer.
    for (let said = ''; !said.includes('\x88'); )
      said += ((await once(socket, 'data'))[0] as Buffer).toString('latin1');
    await bench.time.advance(50);
    expect(bench.bridge.clients).toBe(0);
    await bench.dashboard();
    socket.destroy();
  });

  it('is not used up by those that do not answer a close', async () => {
    const bench = await bridgeBench({ maxClients: 2 });
    const rude = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const webSocket = new WebSocket(bench.url, [BRIDGE_SUBPROTOCOL, inHeader('a wrong token it is')]);
        webSocket.on('error', () => {});
        await Promise.race([once(webSocket, 'open'), once(webSocket, 'unexpected-response').catch(() => {})]);
        webSocket.pause();
        return webSocket;
      }),
    );

    await bench.dashboard();
    expect(bench.bridge.clients).toBe(1);
    await bench.time.advance(5_000);
    for (const webSocket of rude) webSocket.terminate();
  });
});

describe('the limit on subscriptions', () => {
  it('refuses one more with LIMIT, and takes one when another has gone', async () => {
    const bench = await bridgeBench({ maxSubscriptions: 2 });
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages');
    await dashboard.subscribe(2, 'events');
    dashboard.say({ type: 'subscribe', id: 3, kind: 'messages' });
    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 3, code: 'LIMIT' });
    dashboard.say({ type: 'unsubscribe', id: 1 });

    await dashboard.subscribe(3, 'messages');
  });
});

describe('the limit on devices that all subscriptions of a dashboard name', () => {
  it('refuses more than 4,000 with LIMIT, and takes them when others have gone', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    const deviceIds = Array.from(
      { length: 1_000 },
      (_, n) => `02:00:00:00:0${n >> 8}:${deviceIdOf(n & 255).slice(-2)}`,
    );
    for (let id = 1; id <= 4; id++) await dashboard.subscribe(id, 'messages', { deviceIds });
    dashboard.say({ type: 'subscribe', id: 5, kind: 'messages', deviceIds: [DEVICE_ID] });
    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 5, code: 'LIMIT' });
    await dashboard.subscribe(6, 'messages');
    dashboard.say({ type: 'unsubscribe', id: 1 });

    await dashboard.subscribe(5, 'messages', { deviceIds });
  });
});

describe('the limit on commands', () => {
  it('refuses more in a second with LIMIT, which are not sent, and takes them again later', async () => {
    const bench = await bridgeBench({ maxCommandsPerSecond: 3 });
    const device = await bench.device();
    const dashboard = await bench.dashboard();
    const heard: unknown[] = [];
    device.messages$.subscribe((message) => heard.push(message));
    for (let id = 1; id <= 5; id++) dashboard.command(id, DEVICE_ID, 'x');
    const atOnce = await dashboard.heardByNow();
    await bench.time.advance(1_000);
    const later = await dashboard.heardByNow();
    expect([...atOnce, ...later].map(({ type }) => type).sort()).toEqual([
      'refused',
      'refused',
      'result',
      'result',
      'result',
    ]);
    expect(heard).toHaveLength(3);
    for (let id = 6; id <= 8; id++) dashboard.say({ type: 'ping', id, deviceId: deviceIdOf(9) });

    for (let id = 6; id <= 8; id++) expect(await dashboard.next()).toMatchObject({ id, code: 'NOT_CONNECTED' });
  });

  it('is each dashboard’s own', async () => {
    const bench = await bridgeBench({ maxCommandsPerSecond: 1 });
    const dashboards = [await bench.dashboard(), await bench.dashboard()];
    for (const dashboard of dashboards) {
      dashboard.command(1, DEVICE_ID, 'x');
      expect(await dashboard.next()).toMatchObject({ code: 'NOT_CONNECTED' });
    }
  });

  it('closes with LIMIT who goes on all the same, and nobody else', async () => {
    const bench = await bridgeBench({ maxCommandsPerSecond: 5, maxSubscriptions: 5 });
    const other = await bench.dashboard();
    const dashboard = await bench.dashboard();
    for (let id = 1; id <= 21; id++) dashboard.say({ type: 'unsubscribe', id });

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.LIMIT);
    expect(await other.heardByNow()).toEqual([]);
  });
});

describe('the limit on messages', () => {
  it.each(['ping', 'pong'] as const)('holds for each %s of WebSocket too', async (kind) => {
    const bench = await bridgeBench({ maxCommandsPerSecond: 5, maxSubscriptions: 5 });
    const other = await bench.dashboard();
    const dashboard = await bench.dashboard();
    for (let n = 0; n < 20; n++) dashboard.webSocket[kind]();
    expect(await dashboard.heardByNow()).toEqual([]);
    if (kind === 'pong') dashboard.webSocket.pong();

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.LIMIT);
    expect(await other.heardByNow()).toEqual([]);
  });
});

describe('the limit on pieces of a message', () => {
  it('ends a dashboard that sends one in very many, and nobody else', async () => {
    const bench = await bridgeBench();
    const other = await bench.dashboard();
    const dashboard = await bench.dial();
    for (let n = 0; n < 1_100; n++) dashboard.webSocket.send('x', { fin: false });

    expect((await dashboard.closed).code).toBe(1008);
    expect(await other.heardByNow()).toEqual([]);
  });
});

describe('the limit on what a dashboard sends at once', () => {
  it('closes with the code of WebSocket for it, and nobody else', async () => {
    const bench = await bridgeBench({ maxPayloadBytes: 2_048 });
    const other = await bench.dashboard();
    const dashboard = await bench.dashboard();
    const unauthenticated = await bench.dial();
    dashboard.say('x'.repeat(2_049));
    unauthenticated.say('x'.repeat(2_049));

    expect((await dashboard.closed).code).toBe(1009);
    expect((await unauthenticated.closed).code).toBe(1009);
    expect(await other.heardByNow()).toEqual([]);
  });
});
