import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { filter, firstValueFrom, map, take, toArray, type Subscription } from 'rxjs';
import type { CipherSuite } from '../../src/protocol/index.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { UsmpServer } from '../../src/server/server.js';
import type { Session } from '../../src/session/session.js';
import { describeInChromium, launchChromium } from './chromium.js';
import type * as page from './websocket-page.js';

declare const usmp: typeof page;

const PSK = 'a secret of the browser and the gateway';
const DEVICE_ID = '00:11:22:33:44:55';
/** Everything around the limits of a frame, a fragment and a message (protocol.md section 6). */
const LENGTHS = [0, 1, 452, 453, 904, 905, 1_807, 1_808];
const SUITES: CipherSuite[] = ['aes-256-gcm', 'chacha20-poly1305'];

jest.setTimeout(30_000);

describeInChromium('USMP over WebSocket in a browser', () => {
  let browser: Browser;
  let pages: Server;
  let tab: Page;
  const complaints: string[] = [];
  const servers: UsmpServer[] = [];

  beforeAll(async () => {
    const script = execFileSync(process.execPath, ['spec/browser/bundle.mjs', 'spec/browser/websocket-page.ts']);
    pages = createServer(({ url }, response) => {
      if (url === '/usmp.js') response.setHeader('Content-Type', 'text/javascript').end(script);
      else
        response
          .setHeader('Content-Type', 'text/html')
          .end('<!doctype html><link rel="icon" href="data:,"><script src="/usmp.js"></script>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    pages.close();
  });

  beforeEach(async () => {
    tab = await browser.newPage();
    tab.on('pageerror', (error) => complaints.push(String(error)));
    await tab.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
  });

  afterEach(async () => {
    await tab.close();
    for (const server of servers.splice(0)) await server.close({ graceMs: 100 });
    expect(complaints.splice(0)).toEqual([]);
  });

  async function listen(options: Partial<ServerOptions> = {}, port = 0): Promise<{ server: UsmpServer; port: number }> {
    const server = new UsmpServer({ psk: PSK, ...options });
    servers.push(server);
    const { websocket } = await server.listen({ websocket: { port, path: '/usmp' } });
    return { server, port: websocket.port };
  }

  /** Opens a client in the page and connects it. */
  async function connect(
    { server, port }: { server: UsmpServer; port: number },
    options: object = {},
  ): Promise<{ session: Session; atClient: object }> {
    const atServer = firstValueFrom(server.sessions$);
    await open(port, options);
    const atClient = await tab.evaluate(() => usmp.connect());
    return { session: await atServer, atClient };
  }

  const open = (port: number, options: object): Promise<void> =>
    tab.evaluate(([url, given]) => usmp.open(url, given), [
      `ws://127.0.0.1:${port}/usmp`,
      { deviceId: DEVICE_ID, psk: PSK, backoff: { minDelayMs: 10, maxDelayMs: 100 }, ...options },
    ] as const);

  /** Sends back what comes, until the tab is closed. */
  const echo = (session: Session): Subscription =>
    session.messages$.subscribe({ next: (message) => void session.send(message), error: () => {} });

  describe.each(SUITES)('with %s', (suite) => {
    it('exchanges messages of 0 to 1808 bytes, before, between and after rekeyings from either side, and pings', async () => {
      const place = await listen({ suite });
      const { session, atClient } = await connect(place, { suite });
      echo(session);
      const rekeyed = firstValueFrom(
        session.events$.pipe(
          filter((event) => event.type === 'rekeyed'),
          map(({ initiator }) => initiator),
          take(2),
          toArray(),
        ),
      );
      const exchange = (): Promise<number[]> => tab.evaluate((lengths) => usmp.exchange(lengths), LENGTHS);

      expect(await exchange()).toEqual(LENGTHS);
      await Promise.all([tab.evaluate(() => usmp.rekey()), exchange()]);
      await session.rekey();
      expect(await exchange()).toEqual(LENGTHS);
      expect(await rekeyed).toEqual(['remote', 'local']);
      expect(await tab.evaluate(() => usmp.ping())).toBeGreaterThanOrEqual(0);
      expect(await session.ping()).toBeGreaterThanOrEqual(0);
      expect(atClient).toEqual({
        sessionId: session.sessionId,
        transport: 'websocket',
        remoteAddress: `127.0.0.1:${place.port}`,
      });
      expect(session.transport).toBe('websocket');
    });

    it('says BYE in either direction', async () => {
      const place = await listen({ suite });
      const { session } = await connect(place, { suite });
      await tab.evaluate(() => usmp.close());
      expect(await session.closed).toEqual({ origin: 'remote' });

      const { session: next } = await connect(place, { suite });
      const left = tab.evaluate(() => usmp.leftByEnd());
      await next.send(Uint8Array.of(0));
      await next.bye();
      expect(await left).toEqual({ error: undefined, messages: 1 });
      expect(await next.closed).toEqual({ origin: 'local' });
    });
  });

  it('says why it can’t connect, and connects as soon as it can, again and again', async () => {
    const { server, port } = await listen();
    await server.close();
    await open(port, {});
    const connected = tab.evaluate(() => usmp.connect());
    expect(await tab.evaluate(() => usmp.state('waiting'))).toMatchObject({
      error: { name: 'ConnectionClosedError', code: 'CONNECT_FAILED' },
    });

    for (let n = 0; n < 2; n++) {
      const back = await listen({}, port);
      const session = await firstValueFrom(back.server.sessions$);
      echo(session);
      await connected;
      await tab.evaluate(() => usmp.state('connected'));
      expect(await tab.evaluate(() => usmp.exchange([10, 1_000]))).toEqual([10, 1_000]);

      const waiting = tab.evaluate(() => usmp.state('waiting'));
      await back.server.close();
      await waiting;
    }
  });

  it('gives up at a wrong PSK, with a typed error', async () => {
    const { port } = await listen();
    await open(port, { psk: 'another secret of the same length' });
    const failed = tab.evaluate(() => usmp.state('failed'));
    await tab.evaluate(() => usmp.connect().catch(() => undefined));

    expect(await failed).toMatchObject({ error: { name: 'AuthError', code: 'AUTH_REJECTED' } });
  });

  it('whose messages nobody consumes ends with INBOX_FULL, and keeps what has come', async () => {
    const { session } = await connect(await listen(), { maxInboxMessages: 3 });
    const left = tab.evaluate(() => usmp.leftByEnd());
    await Promise.allSettled(Array.from({ length: 2_000 }, (_, n) => session.send(new Uint8Array(1_000).fill(n))));
    const { error, messages } = await left;

    expect(error).toMatchObject({
      name: 'ConnectionClosedError',
      code: 'INBOX_FULL',
      origin: 'local',
      advice: expect.stringContaining('inbox'),
    });
    expect(messages).toBeGreaterThan(900);
    expect(messages).toBeLessThan(2_000);
    expect((await session.closed).error).toMatchObject({ message: expect.stringContaining('inbox full') });
  });

  it('waits for a server that reads slowly, and loses nothing', async () => {
    const { session } = await connect(await listen({ maxInboxMessages: 8 }));
    const paused = firstValueFrom(session.events$.pipe(filter(({ type }) => type === 'paused')));
    const sending = tab.evaluate(() => usmp.sendMany(4_000, 1_808));
    await paused;
    const received = await firstValueFrom(
      session.messages$.pipe(
        map(([first]) => first),
        take(4_000),
        toArray(),
      ),
    );

    expect(received).toEqual(Array.from({ length: 4_000 }, (_, n) => n % 256));
    expect(await sending).toEqual({ sent: 4_000 });
  });

  it('does not wait for ever for a server that does not read', async () => {
    const { session } = await connect(await listen({ maxInboxMessages: 8, sessionPolicy: 'allow' }), {
      sendTimeoutMs: 500,
    });
    const { sent, error } = await tab.evaluate(() => usmp.sendMany(20_000, 1_808));

    expect(error).toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT_SEND' });
    expect(sent).toBeGreaterThan(8);
    void firstValueFrom(session.messages$.pipe(toArray())).catch(() => undefined);
    expect((await session.closed).error).toMatchObject({ code: 'CLOSED_WITHOUT_BYE' });
  });
});
