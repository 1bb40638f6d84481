import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { WebSocket } from 'ws';
import { BRIDGE_SUBPROTOCOL, BridgeCloseCode } from '../../src/bridge/protocol.js';
import { activity, bridgeBench, closeBenches, COMMAND_TOKEN, inHeader, READ_TOKEN } from './bench.js';

afterEach(closeBenches);

describe('a token', () => {
  it.each([
    [READ_TOKEN, 'read'],
    [COMMAND_TOKEN, 'command'],
  ])('is believed in the subprotocol header, and answered with its role (%#)', async (token, role) => {
    const bench = await bridgeBench();
    const dashboard = await bench.dial([BRIDGE_SUBPROTOCOL, inHeader(token)]);

    expect(dashboard.webSocket.protocol).toBe(BRIDGE_SUBPROTOCOL);
    expect(await dashboard.next()).toEqual({ type: 'welcome', role });
    expect(bench.bridge.clients).toBe(1);
    expect(bench.activities).toEqual([{ type: 'client-opened', role, remoteAddress: expect.stringContaining('127.') }]);
  });

  it.each([
    [READ_TOKEN, 'read'],
    [COMMAND_TOKEN, 'command'],
  ])('is believed as the first message (%#)', async (token, role) => {
    const bench = await bridgeBench();
    const dashboard = await bench.dial();
    expect(bench.bridge.clients).toBe(0);
    dashboard.say({ type: 'auth', token });

    expect(await dashboard.next()).toEqual({ type: 'welcome', role });
    expect(bench.bridge.clients).toBe(1);
  });

  it.each<[string, readonly string[]]>([
    ['a wrong one', [inHeader('not a token that is known')]],
    ['an empty one', [inHeader('')]],
    ['one that is no base64url', [`${inHeader(READ_TOKEN).slice(0, -2)}!!`]],
    ['the right one behind a wrong one', [inHeader('not a token that is known'), inHeader(READ_TOKEN)]],
    ['the right one in the clear', [`usmp-token.${READ_TOKEN.replaceAll(' ', '_')}`]],
  ])('is refused in the header with UNAUTHORIZED where it is %s', async (_, subprotocols) => {
    const bench = await bridgeBench();
    const dashboard = await bench.dial([BRIDGE_SUBPROTOCOL, ...subprotocols]);

    expect(await dashboard.closed).toEqual({ code: BridgeCloseCode.UNAUTHORIZED, reason: 'wrong token' });
  });

  it('is refused as a message with UNAUTHORIZED where it is wrong', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dial();
    dashboard.say({ type: 'auth', token: `${READ_TOKEN}x` });

    expect(await dashboard.closed).toEqual({ code: BridgeCloseCode.UNAUTHORIZED, reason: 'wrong token' });
    expect(bench.bridge.clients).toBe(0);
  });

  it('in the URL is none', async () => {
    const bench = await bridgeBench();
    const webSocket = new WebSocket(`${bench.url}?token=${encodeURIComponent(READ_TOKEN)}`, BRIDGE_SUBPROTOCOL);
    const messages: unknown[] = [];
    webSocket.on('message', (data) => messages.push(data));
    await once(webSocket, 'open');
    webSocket.send(JSON.stringify({ type: 'subscribe', id: 1, kind: 'devices' }));

    expect((await once(webSocket, 'close'))[0]).toBe(BridgeCloseCode.UNAUTHORIZED);
    expect(messages).toEqual([]);
  });

  it('has to come within authTimeoutMs', async () => {
    const bench = await bridgeBench({ authTimeoutMs: 3_000 });
    const dashboard = await bench.dial();
    const inTime = await bench.dial();
    await bench.time.advance(2_900);
    inTime.say({ type: 'auth', token: READ_TOKEN });
    await inTime.nextOf('welcome');
    expect(dashboard.webSocket.readyState).toBe(WebSocket.OPEN);
    await bench.time.advance(100);

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.AUTH_TIMEOUT);
    await bench.time.advance(60_000);
    expect(await inTime.heardByNow()).toEqual([]);
  });

  it.each([
    ['a subscription', { type: 'subscribe', id: 1, kind: 'devices' }],
    ['a command', Uint8Array.of(2, 1, 0, 0, 0, 0, 17, 34, 51, 68, 85)],
  ])('has to come before %s', async (_, message) => {
    const bench = await bridgeBench();
    const device = await bench.device();
    const heard: unknown[] = [];
    device.messages$.subscribe((one) => heard.push(one));
    const dashboard = await bench.dial();
    dashboard.say(message);

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.UNAUTHORIZED);
    await bench.time.advance(1_000);
    expect(heard).toEqual([]);
  });

  it('may come once', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'auth', token: READ_TOKEN });

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.BAD_MESSAGE);
  });

  it('shows nowhere: not in events, not in what is printed, not in reasons', async () => {
    const bench = await bridgeBench();
    const wrong = 'a wrong token of a person';
    await bench.dashboard();
    const reasons: string[] = [];
    for (const say of [wrong, [wrong], { token: wrong }]) {
      const dashboard = await bench.dial();
      dashboard.say({ type: 'auth', token: say });
      reasons.push((await dashboard.closed).reason);
    }
    const shown = [inspect([bench.bridge, bench.activities, reasons], { depth: 20, showHidden: true })].join();

    expect(shown).toContain('wrong token');
    for (const secret of [wrong, COMMAND_TOKEN, READ_TOKEN]) {
      for (const form of [secret, inHeader(secret), Buffer.from(secret).toString('hex')]) {
        expect(shown).not.toContain(form);
      }
    }
  });
});

describe('a request', () => {
  /** The HTTP status that it gets instead of a WebSocket. */
  async function statusOf(url: string, subprotocols: string[], headers: Record<string, string> = {}): Promise<number> {
    const webSocket = new WebSocket(url, subprotocols, { headers });
    webSocket.on('error', () => {});
    const [request, response] = (await once(webSocket, 'unexpected-response')) as [
      { destroy(): void },
      { statusCode: number },
    ];
    request.destroy();
    return response.statusCode;
  }
  const subprotocols = [BRIDGE_SUBPROTOCOL, inHeader(READ_TOKEN)];

  it('from a page of another origin gets 403, even with the right token', async () => {
    const bench = await bridgeBench({ allowedOrigins: ['https://dashboard.example'] });
    const refused = activity(bench, 'client-refused');

    expect(await statusOf(bench.url, subprotocols, { origin: 'https://evil.example' })).toBe(403);
    expect(await refused).toMatchObject({ reason: 'origin' });
    expect(bench.bridge.clients).toBe(0);
  });

  it.each([
    ['of the list', () => 'https://dashboard.example'],
    ['of the same host and port', (url: string) => new URL(url.replace('ws:', 'http:')).origin],
  ])('from a page %s is let in', async (_, origin) => {
    const bench = await bridgeBench({ allowedOrigins: ['https://dashboard.example'] });
    const dashboard = await bench.dial(subprotocols, { headers: { origin: origin(bench.url) } });

    expect(await dashboard.next()).toMatchObject({ type: 'welcome' });
  });

  it.each<[string, string[]]>([
    ['no subprotocol', []],
    ['a later version alone', ['usmp-bridge.v2', inHeader(READ_TOKEN)]],
  ])('with %s gets 400', async (_, offered) => {
    const bench = await bridgeBench();
    const refused = activity(bench, 'client-refused');

    expect(await statusOf(bench.url, offered)).toBe(400);
    expect(await refused).toMatchObject({ reason: 'subprotocol' });
  });

  it('for another path gets 404', async () => {
    const { url } = await bridgeBench();

    expect(await statusOf(`${url}/more`, subprotocols)).toBe(404);
    expect(await statusOf(url.replace('/bridge', '/'), subprotocols)).toBe(404);
  });

  it.each([
    ['no subprotocol', '/bridge', 'chat', '', 'Expected the WebSocket subprotocol usmp-bridge.v1.'],
    ['another origin', '/bridge', BRIDGE_SUBPROTOCOL, 'https://evil.example', 'Pages of this origin may not connect.'],
    ['another path', '/other', BRIDGE_SUBPROTOCOL, '', 'There is no WebSocket at this path.'],
  ])('that is refused for %s is told so', async (_, path, subprotocol, origin, text) => {
    const bench = await bridgeBench();
    const headers = { ...(origin !== '' && { origin }) };
    const webSocket = new WebSocket(bench.url.replace('/bridge', path), subprotocol, { headers });
    webSocket.on('error', () => {});
    const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, AsyncIterable<Buffer>];
    let body = '';
    for await (const chunk of response) body += String(chunk);

    expect(body).toBe(`${text}\n`);
  });

  it('that is no WebSocket gets 426', async () => {
    const { url } = await bridgeBench();

    expect((await fetch(url.replace('ws:', 'http:'))).status).toBe(426);
  });
});
