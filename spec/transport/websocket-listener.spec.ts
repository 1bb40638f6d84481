import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { VirtualTime } from '../../src/testing/index.js';
import type { Transport } from '../../src/transport/transport.js';
import { webSocketListener, type WebSocketListenOptions } from '../../src/transport/websocket-listener.js';
import { pattern } from '../protocol/pair.js';
import { probe } from './probe.js';
import { closing, dialerOf, lastWords, Opened, portOf, upgrade } from './websocket-ends.js';

const opened = new Opened();

afterEach(() => opened.close());

describe('a WebSocket listener', () => {
  it.each([
    [{}, 'port'],
    [{ port: -1 }, 'port'],
    [{ port: 0, host: '' }, 'host'],
    [{ port: 0, path: 'usmp' }, 'path'],
    [{ port: 0, path: '/usmp?x' }, 'path'],
    [{ port: 0, path: '' }, 'path'],
    [{ port: 0, maxMessageBytes: 0 }, 'maxMessageBytes'],
    [{ port: 0, handshakeTimeoutMs: 0 }, 'handshakeTimeoutMs'],
    [{ port: 0, pingIntervalMs: Number.NaN }, 'pingIntervalMs'],
    [{ server: undefined }, 'server'],
    [{ server: createServer(), port: 0 }, 'either'],
    [undefined, 'websocket'],
  ])('refuses the options %p', (options, named) => {
    expect(() => webSocketListener(options as WebSocketListenOptions)).toThrow(
      expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_OPTION', message: expect.stringContaining(named) }),
    );
  });

  it('resolves with its address, and rejects with CONFIG_ADDRESS where the address is not of this machine', async () => {
    expect((await opened.listen()).address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    await expect(webSocketListener({ host: '192.0.2.1', port: 0 }).listen(() => {})).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'CONFIG_ADDRESS',
    });
  });

  it('that is closed frees its port, while what was accepted lives on', async () => {
    const { address, listener, accepted } = await opened.listen();
    const client = await opened.dial(dialerOf(address));
    const heard = probe(await accepted);
    await listener.close();
    const next = webSocketListener({ port: portOf(address) });
    opened.add(() => next.close());
    await next.listen(() => {});
    client.write(pattern(10, 1));
    await heard.received(10);

    expect(heard.bytes).toEqual(pattern(10, 1));
  });

  it('that is closed takes nobody any more who was about to come', async () => {
    const { address, listener } = await opened.listen();
    const late = await opened.rawSocket(address, 'GET / HTTP/1.1');
    const silent = await opened.rawSocket(address);
    await opened.dial(dialerOf(address));
    const words = Promise.all([lastWords(late), lastWords(silent)]);
    await listener.close();

    expect(await words).toEqual(['', '']);
  });

  it('may be closed without ever having listened', async () => {
    await expect(webSocketListener({ port: 0 }).close()).resolves.toBeUndefined();
  });

  it('shows address and port of its peers', async () => {
    const { address, accepted } = await opened.listen();
    const peer = await opened.rawPeer(address);

    expect((await accepted).remoteAddress).toBe(`127.0.0.1:${peer.localPort}`);
  });
});

describe('who comes to a WebSocket listener', () => {
  it.each([
    ['another path', upgrade('/other'), '404'],
    ['a longer path', upgrade('/usmp/deeper'), '404'],
    ['no subprotocol', upgrade('/usmp').filter((line) => !line.includes('Protocol')), '400'],
    ['another subprotocol', upgrade('/usmp', 'usmp.v1, chat'), '400'],
    ['no key', upgrade('/usmp').filter((line) => !line.includes('Key')), '400'],
    ['another method', upgrade('/usmp').map((line) => line.replace('GET', 'POST')), '405'],
    ['no upgrade', ['GET /usmp HTTP/1.1', 'Host: 127.0.0.1', ''], '426'],
    ['no HTTP', ['HELO gateway', ''], '400'],
  ])('with %s is refused', async (_, lines, status) => {
    let count = 0;
    const listener = webSocketListener({ port: 0, path: '/usmp' });
    opened.add(() => listener.close());
    const address = await listener.listen(() => count++);
    const words = await lastWords(await opened.rawSocket(address, ...lines));

    expect(words).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(count).toBe(0);
  });

  it('with more subprotocols, a query and extensions gets usmp.v2 and no extension', async () => {
    const { address, accepted } = await opened.listen({ path: '/usmp' });
    const client = new WebSocket(`ws://${address}/usmp?from=here`, ['chat', 'usmp.v2'], { perMessageDeflate: true });
    opened.add(() => client.terminate());
    await once(client, 'open');
    await accepted;

    expect([client.protocol, client.extensions]).toEqual(['usmp.v2', '']);
  });

  it.each([
    ['says nothing', []],
    ['is slow with its request', ['GET / HTTP/1.1', 'Host: 127.0.0.1']],
  ])('and %s is cut off when the time for it is over', async (_, lines) => {
    const time = new VirtualTime();
    const { address } = await opened.listen({ handshakeTimeoutMs: 5_000, scheduler: time });
    const socket = await opened.rawSocket(address, ...lines);
    await opened.dial(dialerOf(address));
    await time.advance(4_999);
    expect(socket.readyState).toBe('open');
    const words = lastWords(socket);
    await time.advance(1);

    expect(await words).toBe('');
  });

  it('and has become a WebSocket in time stays', async () => {
    const time = new VirtualTime();
    const { address, accepted } = await opened.listen({ handshakeTimeoutMs: 5_000, scheduler: time });
    const client = await opened.dial(dialerOf(address));
    const heard = probe(await accepted);
    await time.advance(10_000);
    client.write(pattern(10, 1));
    await heard.received(10);

    expect(heard.bytes).toEqual(pattern(10, 1));
  });

  it('in a crowd of silent ones gets in: the oldest of them goes', async () => {
    const { address } = await opened.listen();
    const oldest = await opened.rawSocket(address);
    const words = lastWords(oldest);
    for (let n = 0; n < 255; n++) await opened.rawSocket(address);
    await opened.dial(dialerOf(address));

    expect(await words).toBe('');
  });
});

describe('a WebSocket listener on the server of a program', () => {
  async function program(): Promise<{ server: Server; address: string }> {
    const server = createServer((_, response) => response.end('the program'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.add(() => {
      server.closeAllConnections();
      server.close();
    });
    return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async function join(server: Server, path: string) {
    const accepted: Transport[] = [];
    const listener = webSocketListener({ server, path });
    opened.add(() => listener.close());
    opened.add(() => accepted.forEach((transport) => transport.destroy()));
    return { listener, accepted, address: await listener.listen((transport) => accepted.push(transport)) };
  }

  const open = (address: string, path: string): Promise<string> => {
    const client = new WebSocket(`ws://${address}${path}`, 'usmp.v2');
    opened.add(() => client.terminate());
    return new Promise((resolve) => {
      client.on('open', () => resolve('open'));
      client.on('error', ({ message }) => resolve(message));
    });
  };

  it('takes the upgrades to its path, and leaves requests alone', async () => {
    const { server, address } = await program();
    const usmp = await join(server, '/usmp');

    expect(usmp.address).toBe(address);
    expect(await open(address, '/usmp')).toBe('open');
    expect(usmp.accepted).toHaveLength(1);
    expect(await (await fetch(`http://${address}/usmp`)).text()).toBe('the program');
  });

  it('refuses other upgrades where nobody else takes any', async () => {
    const { server, address } = await program();
    await join(server, '/usmp');

    expect(await open(address, '/other')).toContain('404');
  });

  it('leaves other upgrades to others, be they of USMP or not', async () => {
    const { server, address } = await program();
    const [one, two] = [await join(server, '/one'), await join(server, '/two')];
    server.on('upgrade', ({ url }, socket) => {
      if (url === '/three') socket.end('HTTP/1.1 418 Short and Stout\r\nContent-Length: 0\r\n\r\n');
    });

    expect(await Promise.all(['/one', '/two', '/three'].map((path) => open(address, path)))).toEqual([
      'open',
      'open',
      expect.stringContaining('418'),
    ]);
    expect([one.accepted.length, two.accepted.length]).toEqual([1, 1]);
  });

  it('that is closed takes nothing more, and leaves the server and what was accepted as they are', async () => {
    const { server, address } = await program();
    const { listener, accepted } = await join(server, '/');
    const client = await opened.dial(dialerOf(address));
    const heard = probe(accepted[0]!);
    await listener.close();
    client.write(pattern(10, 1));
    await heard.received(10);

    expect(server.listening).toBe(true);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(await (await fetch(`http://${address}/`)).text()).toBe('the program');
  });

  it('rejects with CONFIG_ADDRESS where that does not listen', async () => {
    await expect(webSocketListener({ server: createServer() }).listen(() => {})).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'CONFIG_ADDRESS',
      message: expect.stringContaining('listen()'),
    });
  });
});

/** One byte of a message that goes on after it. */
const fragment = (opcode: number): Buffer => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 1]);

/** On another connection: whatever is under way has time to arrive. */
async function roundTrip(): Promise<void> {
  const { address, accepted } = await opened.listen();
  const client = await opened.plainClient(address);
  probe(await accepted);
  client.ping();
  await once(client, 'pong');
}

describe('a connection that was accepted', () => {
  it('takes the byte stream however it is cut into messages and fragments, empty ones too', async () => {
    const { address, accepted } = await opened.listen();
    const client = await opened.plainClient(address);
    const heard = probe(await accepted);
    const all = pattern(5_000, 3);
    let at = 0;
    for (const length of [0, 1, 0, 491, 1, 2_000, 7, 0, 2_500]) {
      client.send(all.subarray(at, (at += length)), { fin: length % 2 === 0 });
    }
    await heard.received(all.length);

    expect(Buffer.compare(heard.bytes, all)).toBe(0);
    expect(heard.chunks.every(({ length }) => length > 0)).toBe(true);
  });

  it.each([
    ['a text message', (client: WebSocket) => client.send('hello'), 'text message', 4000],
    ['a message that is too long', (client: WebSocket) => client.send(new Uint8Array(1_001)), 'payload', 1009],
  ])('ends at once at %s, with a cause', async (_, send, cause, code) => {
    const { address, accepted } = await opened.listen({ maxMessageBytes: 1_000 });
    const client = await opened.plainClient(address);
    const heard = probe(await accepted);
    const closed = closing(client);
    client.send(pattern(1_000, 1));
    send(client);
    client.send(pattern(10, 2));
    await heard.ended();

    expect(heard.cause).toMatchObject({ message: expect.stringContaining(cause) });
    expect(heard.bytes).toEqual(pattern(1_000, 1));
    expect((await closed)[0]).toBe(code);
  });

  it.each([
    ['garbage', Buffer.alloc(100, 0xff)],
    ['a frame without a mask', Buffer.from([0x82, 0x01, 0x00])],
    ['a message that announces an exabyte', Buffer.from([0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0])],
    ['a message in very many fragments', Buffer.concat([fragment(0x02), ...Array<Buffer>(1_100).fill(fragment(0x00))])],
  ])('ends at once at %s, with a cause', async (_, bytes) => {
    const { address, accepted } = await opened.listen();
    const peer = await opened.rawPeer(address);
    const heard = probe(await accepted);
    peer.write(bytes);
    await heard.ended();

    expect(heard.log).toEqual(['end']);
    expect(heard.cause).toMatchObject({ message: expect.any(String) });
  });

  it('is closed for good when the peer does not close its side within a second', async () => {
    const time = new VirtualTime();
    const { address, accepted } = await opened.listen({ scheduler: time });
    const peer = await opened.rawPeer(address);
    (await accepted).destroy();
    const words = lastWords(peer);
    await once(peer, 'data');
    await time.advance(1_000);

    // A close frame with code 1000.
    expect(Buffer.from(await words, 'latin1').subarray(0, 4)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe8]));
  });

  it('tells a peer that resets it', async () => {
    const { address, accepted } = await opened.listen();
    const peer = await opened.rawPeer(address);
    const heard = probe(await accepted);
    peer.resetAndDestroy();
    await heard.ended();

    expect(heard.cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('pings a peer that is silent, and ends when that stays silent', async () => {
    const time = new VirtualTime();
    const { address, accepted } = await opened.listen({ pingIntervalMs: 1_000, scheduler: time });
    const peer = await opened.rawPeer(address);
    const heard = probe(await accepted);
    const ping = once(peer, 'data');
    await time.advance(2_000);
    expect((await ping)[0]).toEqual(Buffer.from([0x89, 0x00]));
    expect(heard.log).toEqual([]);
    await time.advance(1_000);
    await heard.ended();

    expect(heard.cause).toMatchObject({ message: expect.stringContaining('ping') });
  });

  it('stays while the peer answers pings, or says anything', async () => {
    const time = new VirtualTime();
    const { address, accepted } = await opened.listen({ pingIntervalMs: 1_000, scheduler: time });
    const client = await opened.plainClient(address);
    const server = await accepted;
    const heard = probe(server);
    for (let n = 0; n < 5; n++) {
      const ping = once(client, 'ping');
      await time.advance(2_000);
      await ping;
      client.send(Uint8Array.of(n));
      await heard.received(n + 1);
    }

    expect(heard.ends).toBe(0);
  });

  it('is not taken for dead while it is paused', async () => {
    const time = new VirtualTime();
    const { address, accepted } = await opened.listen({ pingIntervalMs: 1_000, scheduler: time });
    const client = await opened.plainClient(address);
    const server = await accepted;
    const heard = probe(server);
    server.pause();
    await time.advance(60_000);
    server.resume();
    client.send(Uint8Array.of(1));
    await heard.received(1);

    expect(heard.log).toEqual(['data']);
  });

  it('asks its writer to wait for a peer that does not read, and drains when that reads', async () => {
    const { address, accepted } = await opened.listen();
    const client = await opened.plainClient(address);
    const server = await accepted;
    const heard = probe(server);
    client.pause();
    let [written, read] = [0, 0];
    const allRead = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        read += (data as Buffer).length;
        if (read === written) resolve();
      });
    });
    const piece = new Uint8Array(64 * 1024);
    do written += piece.length;
    while (server.write(piece));
    await roundTrip();
    expect(heard.log).toEqual([]);

    client.resume();
    await Promise.all([allRead, heard.until(() => heard.drains > 0)]);
    expect(heard.log).toEqual(['drain']);
    expect(server.write(Uint8Array.of(1))).toBe(true);
  });

  it('that is reset shows at a peer that does not read as a lost connection', async () => {
    const { address, accepted } = await opened.listen();
    const client = await opened.plainClient(address);
    const server = await accepted;
    client.pause();
    while (server.write(new Uint8Array(64 * 1024)));
    const closed = closing(client);
    server.reset();
    client.resume();

    expect((await closed)[0]).toBe(1006);
  });
});
