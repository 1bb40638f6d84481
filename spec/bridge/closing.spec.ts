import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { bridge, type BridgeOptions } from '../../src/bridge/index.js';
import { BridgeCloseCode } from '../../src/bridge/protocol.js';
import { ConfigError } from '../../src/protocol/errors.js';
import { virtualBench } from '../server/bench.js';
import { bridgeBench, bridgeFor, closeBenches, TOKENS } from './bench.js';

afterEach(closeBenches);

describe('close()', () => {
  it('closes all dashboards with GOING_AWAY, completes events$ and leaves the server as it is', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    const dashboards = [await bench.dashboard(), await bench.dashboard(), await bench.dial()];
    const ended: string[] = [];
    bench.bridge.events$.subscribe({ complete: () => ended.push('events$') });
    await bench.bridge.close();
    const codes = await Promise.all(dashboards.map(async ({ closed }) => (await closed).code));

    expect(codes).toEqual([1, 2, 3].map(() => BridgeCloseCode.GOING_AWAY));
    expect(ended).toEqual(['events$']);
    expect(bench.bridge.clients).toBe(0);
    expect(bench.activities.filter(({ type }) => type === 'client-closed')).toHaveLength(3);
    expect(device.state).toBe('open');
    await expect(once(new WebSocket(bench.url), 'open')).rejects.toThrow('ECONNREFUSED');
  });

  it('leaves nothing behind that goes on in time', async () => {
    const bench = await bridgeBench();
    await bench.bridge.close();
    await bench.time.advance(60_000);

    expect(bench.time.actions).toHaveLength(0);
  });

  it('waits for a dashboard that does not answer no longer than 5 s', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    dashboard.webSocket.pause();
    let isClosed = false;
    const closed = bench.bridge.close().then(() => {
      isClosed = true;
    });
    await bench.time.advance(4_900);
    expect(isClosed).toBe(false);
    await bench.time.advance(200);

    await expect(closed).resolves.toBeUndefined();
  });

  it('can be called twice, before listen() and through await using; nothing listens after', async () => {
    const { server, time } = virtualBench();
    const made = bridge(server, { tokens: TOKENS, port: 0, scheduler: time });
    await Promise.all([made.close(), made.close(), made[Symbol.asyncDispose]()]);

    await expect(made.listen()).rejects.toMatchObject({ code: 'WRONG_STATE' });
  });
});

describe('listen()', () => {
  it('rejects with CONFIG_ADDRESS where the port is taken, and may be called again', async () => {
    const { bench, url } = await bridgeBench();
    const blocker = createServer();
    await once(blocker.listen(0, '127.0.0.1'), 'listening');
    const { port } = blocker.address() as AddressInfo;
    const made = bridge(bench.server, { tokens: TOKENS, port, scheduler: bench.time });
    await expect(made.listen()).rejects.toMatchObject({ code: 'CONFIG_ADDRESS' });
    await once(blocker.close(), 'close');
    const address = await made.listen();
    await expect(made.listen()).rejects.toMatchObject({ code: 'WRONG_STATE' });

    expect(address?.port).toBe(port);
    expect(url).not.toContain(String(port));
    await made.close();
  });
});

describe('an existing http.Server', () => {
  /** A server with a page and a WebSocket of its own at /other. */
  async function existing() {
    const server = createServer((_, response) => response.end('a page'));
    const own = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/other') return;
      own.handleUpgrade(request, socket, head, (webSocket) => webSocket.send('the other'));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { server, own, port: (server.address() as AddressInfo).port };
  }

  it('keeps its pages and its other upgrade handlers, while the bridge is there and after', async () => {
    const { server, port } = await existing();
    const other = async (): Promise<string> => {
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/other`);
      const [data] = (await once(webSocket, 'message')) as [Buffer];
      webSocket.terminate();
      return data.toString();
    };
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
    const bench = await bridgeFor(virtualBench(), { server, path: '/fleet' }, `ws://127.0.0.1:${port}/fleet`);
    const dashboard = await bench.dashboard();

    expect([await other(), await page()]).toEqual(['the other', 'a page']);
    await bench.bridge.close();
    expect((await dashboard.closed).code).toBe(BridgeCloseCode.GOING_AWAY);
    expect([await other(), await page()]).toEqual(['the other', 'a page']);
    expect(server.listenerCount('upgrade')).toBe(1);
    server.closeAllConnections();
    server.close();
  });

  it('is not listened on by the bridge, which has no address of its own', async () => {
    const { bench } = await bridgeBench();
    const server = createServer();
    const made = bridge(bench.server, { tokens: TOKENS, server, scheduler: bench.time });

    await expect(made.listen()).resolves.toBeUndefined();
    expect(server.listening).toBe(false);
    await made.close();
  });

  it('with no other upgrade handler gets its other paths answered with 404', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await bridgeBench({ server });
    const webSocket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/nothing`);
    webSocket.on('error', () => {});
    const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode: number }];
    webSocket.terminate();
    server.closeAllConnections();
    server.close();

    expect(response.statusCode).toBe(404);
  });
});

describe('an http.Server that takes USMP over WebSocket too', () => {
  it('gets upgrades answered on both paths, and with 404 on those of neither; one path is taken once', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const bench = await bridgeFor(virtualBench(), { server }, `ws://127.0.0.1:${port}/bridge`);
    await bench.bench.server.listen({ websocket: { server, path: '/usmp' } });
    const same = bridge(bench.bench.server, { tokens: TOKENS, server, path: '/usmp', scheduler: bench.time });
    await expect(same.listen()).rejects.toMatchObject({ code: 'CONFIG_ADDRESS' });
    await same.close();
    const usmp = new WebSocket(`ws://127.0.0.1:${port}/usmp`, 'usmp.v2');
    await once(usmp, 'open');
    usmp.terminate();
    await bench.dashboard();
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/nothing`);
    webSocket.on('error', () => {});
    const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode: number }];
    webSocket.terminate();
    server.closeAllConnections();
    server.close();

    expect(response.statusCode).toBe(404);
  });
});

describe('an option that can not work', () => {
  const tokens = TOKENS;

  it.each<[string, object | undefined]>([
    ['options', undefined],
    ['tokens', { port: 0 }],
    ['tokens', { port: 0, tokens: [] }],
    ['port', { tokens }],
    ['port', { tokens, port: 0, server: createServer() }],
    ['port', { tokens, host: '127.0.0.1', server: createServer() }],
    ['port', { tokens, port: 70_000 }],
    ['host', { tokens, port: 0, host: '' }],
    ['server', { tokens, server: {} }],
    ['path', { tokens, port: 0, path: 'bridge' }],
    ['path', { tokens, port: 0, path: '' }],
    ['path', { tokens, port: 0, path: '/bridge?x' }],
    ['allowedOrigins', { tokens, port: 0, allowedOrigins: ['*'] }],
    ['allowedOrigins', { tokens, port: 0, allowedOrigins: 'https://dashboard.example' }],
    ['maxClients', { tokens, port: 0, maxClients: 0 }],
    ['maxSubscriptions', { tokens, port: 0, maxSubscriptions: 1.5 }],
    ['maxCommandsPerSecond', { tokens, port: 0, maxCommandsPerSecond: -1 }],
    ['maxBufferedBytes', { tokens, port: 0, maxBufferedBytes: 1_000 }],
    ['maxPayloadBytes', { tokens, port: 0, maxPayloadBytes: 1_000 }],
    ['authTimeoutMs', { tokens, port: 0, authTimeoutMs: 0 }],
    ['drainTimeoutMs', { tokens, port: 0, drainTimeoutMs: Number.NaN }],
    ['maxDevices', { tokens, port: 0, maxDevices: 0 }],
  ])('is refused at once, by name: %s (%#)', (name, options) => {
    const { server } = virtualBench();
    const make = (): unknown => bridge(server, options as BridgeOptions);

    expect(make).toThrow(ConfigError);
    expect(make).toThrow(name);
  });
});
