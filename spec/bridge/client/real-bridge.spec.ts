import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { catchError, EMPTY, filter, firstValueFrom, map, mergeMap, type Observable } from 'rxjs';
import { WebSocket, WebSocketServer } from 'ws';
import { bridge } from '../../../src/bridge/bridge.js';
import { connectBridge, type BridgeConnection, type BridgeState } from '../../../src/bridge/client/index.js';
import { NodeUsmpClient } from '../../../src/client/node-client.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { UsmpServer } from '../../../src/server/server.js';
import { text } from '../../../src/testing/text.js';
import { DEVICE_ID } from './fake-bridge.js';

const PSK = 'the pre-shared key of the tests';
const COMMAND = { token: 'the token that may command', role: 'command' } as const;
const READ = { token: 'the token that may read only', role: 'read' } as const;

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function gateway(): Promise<{ server: UsmpServer; devicePort: number }> {
  const server = new UsmpServer({ psk: PSK, crypto: nodeCrypto });
  server.sessions$.pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY)))).subscribe();
  const { tcp } = await server.listen({ tcp: { port: 0 } });
  toClose.push(() => server.close());
  return { server, devicePort: tcp.port };
}

async function bridgeOn(server: UsmpServer, port = 0): Promise<{ port: number; close: () => Promise<void> }> {
  const made = bridge(server, { port, tokens: [COMMAND, READ] });
  const address = await made.listen();
  toClose.push(() => made.close());
  return { port: address!.port, close: () => made.close() };
}

function connect(port: number, token: string = COMMAND.token): BridgeConnection {
  const backoff = { minDelayMs: 20, maxDelayMs: 50 };
  const connection = connectBridge({ url: `ws://127.0.0.1:${port}/bridge`, token, WebSocket, backoff });
  toClose.push(() => connection.close());
  return connection;
}

function deviceOn(port: number): NodeUsmpClient {
  const client = new NodeUsmpClient({ port, deviceId: DEVICE_ID, psk: PSK });
  toClose.push(() => client.close());
  return client;
}

const first = <T>(values$: Observable<T>, isIt: (value: T) => boolean = () => true): Promise<T> =>
  firstValueFrom(values$.pipe(filter(isIt)));

const state = ({ connection$ }: BridgeConnection, name: BridgeState['name']): Promise<BridgeState> =>
  first(connection$, (present) => present.name === name);

describe('connectBridge and the bridge', () => {
  it('show devices, their messages and events, and carry commands, pings and ends', async () => {
    const { server, devicePort } = await gateway();
    const { port } = await bridgeOn(server);
    const connection = connect(port);
    expect(await first(connection.devices$)).toEqual([]);
    const isOnline$ = connection.devices$.pipe(map(([only]) => only?.isOnline));
    const online = first(isOnline$, (present) => present === true);
    const opened = first(connection.events$, ({ event }) => event === 'session-opened');
    const message = first(connection.messages$(DEVICE_ID));
    const sampled = first(connection.messages$(undefined, { everyMs: 50 }));

    const device = deviceOn(devicePort);
    await device.connect();
    await device.send('21.5');
    expect(text((await message).payload)).toBe('21.5');
    expect(await sampled).toMatchObject({ deviceId: DEVICE_ID });
    expect(await online).toBe(true);
    expect(await opened).toMatchObject({ deviceId: DEVICE_ID, transport: 'tcp' });

    const received = device.recv();
    await connection.send(DEVICE_ID, 'fan on');
    expect(text(await received)).toBe('fan on');
    expect(await connection.ping(DEVICE_ID)).toBeGreaterThanOrEqual(0);
    const closed = first(connection.events$, ({ event }) => event === 'session-closed');
    await connection.end(DEVICE_ID);
    expect(await closed).toMatchObject({ deviceId: DEVICE_ID, code: null });
  });

  it('tell why a command is not carried out', async () => {
    const { server } = await gateway();
    const { port } = await bridgeOn(server);
    const connection = connect(port);
    await state(connection, 'open');
    await expect(connection.send(DEVICE_ID, 'on')).rejects.toMatchObject({
      name: 'BridgeError',
      code: 'NOT_CONNECTED',
    });

    const reader = connect(port, READ.token);
    expect(await state(reader, 'open')).toEqual({ name: 'open', role: 'read' });
    await expect(reader.send(DEVICE_ID, 'on')).rejects.toMatchObject({ name: 'BridgeError', code: 'FORBIDDEN' });
  });

  it('fail with UNAUTHORIZED for a wrong token', async () => {
    const { server } = await gateway();
    const { port } = await bridgeOn(server);

    expect(await state(connect(port, 'a wrong one'), 'failed')).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
  });

  it('find each other again when the bridge comes back; what was subscribed goes on', async () => {
    const { server, devicePort } = await gateway();
    const before = await bridgeOn(server);
    const connection = connect(before.port);
    const device = deviceOn(devicePort);
    const texts$ = connection.messages$(DEVICE_ID).pipe(map(({ payload }) => text(payload)));
    const seen: string[] = [];
    const watching = texts$.subscribe((each) => seen.push(each));
    await state(connection, 'open');
    await device.connect();
    const one = first(texts$);
    await device.send('one');
    await one;

    const waiting = state(connection, 'waiting');
    await before.close();
    expect(await waiting).toMatchObject({ error: { code: 'GOING_AWAY' } });
    await bridgeOn(server, before.port);
    await state(connection, 'open');
    // Subscriptions go before it in the same connection.
    await connection.ping(DEVICE_ID);
    const two = first(texts$);
    await device.send('two');
    await two;

    watching.unsubscribe();
    expect(seen).toEqual(['one', 'two']);
  });
});

describe('events that happened before', () => {
  it('are told to who connects later, and not again when the connection comes back', async () => {
    const { server, devicePort } = await gateway();
    const { port } = await bridgeOn(server);
    const device = deviceOn(devicePort);
    await device.connect();
    const connection = connect(port);
    const events: string[] = [];
    connection.events$.subscribe(({ event }) => events.push(event));
    await first(connection.events$);
    expect(events).toEqual(['session-opened']);

    // Each client of a bridge may send so many messages in a second.
    const waiting = state(connection, 'waiting');
    await Promise.allSettled(Array.from({ length: 250 }, () => connection.ping(DEVICE_ID)));
    await waiting;
    await state(connection, 'open');
    await connection.ping(DEVICE_ID);
    expect(events).toEqual(['session-opened']);
  });
});

describe('a server that is no bridge', () => {
  it('is tried again where it refuses the WebSocket, since a browser does not tell why', async () => {
    const http = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    toClose.push(() => http.close());
    await new Promise((resolve) => http.once('listening', resolve));
    const connection = connect((http.address() as AddressInfo).port);

    expect(await state(connection, 'waiting')).toMatchObject({ error: { code: 'CONNECT_FAILED' } });
    await state(connection, 'connecting');
  });

  it('is not tried again where it takes another subprotocol', async () => {
    const other = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: (offered) => [...offered].at(-1)!,
    });
    toClose.push(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const connection = connect((other.address() as AddressInfo).port);

    expect(await state(connection, 'failed')).toMatchObject({ error: { code: 'SUBPROTOCOL' } });
  });
});
