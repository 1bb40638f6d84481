import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { ConfigError, ConnectionClosedError } from '../../src/protocol/index.js';
import type { Dialer } from '../../src/transport/transport.js';
import { webSocketListener } from '../../src/transport/websocket-listener.js';
import { webSocketTransport } from '../../src/transport/websocket.js';
import { pattern } from '../protocol/pair.js';
import { transportContract } from './contract.js';
import { dialingContract } from './dialing-contract.js';
import { probe } from './probe.js';
import { closing, dialerOf, Opened, portOf } from './websocket-ends.js';

const opened = new Opened();

afterEach(() => opened.close());

describe('the WebSocket transport', () => {
  transportContract('websocket', async () => {
    const { address, accepted } = await opened.listen();
    return [await firstValueFrom(dialerOf(address).dial()), await accepted];
  });
});

describe('WebSocket', () => {
  dialingContract((address = '127.0.0.1:0') => ({
    listener: webSocketListener({ port: portOf(address) }),
    dialer: dialerOf,
  }));
});

describe('a WebSocket dialer', () => {
  const dialError = (dialer: Dialer): Promise<ConnectionClosedError> =>
    new Promise((resolve) => dialer.dial().subscribe({ error: resolve }));

  it.each([
    '',
    'gateway:8080',
    '/usmp',
    'http://gateway/',
    'ws://',
    'ws://gateway/#here',
    'wss://user@gateway/',
    'wss://:secret@gateway/',
    undefined as unknown as string,
  ])('refuses the URL %p at once', (url) => {
    expect(() => webSocketTransport(url, { WebSocket })).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        code: 'CONFIG_OPTION',
        message: expect.not.stringContaining('secret'),
      }),
    );
  });

  it.each([
    [{ WebSocket: 'ws' }, 'WebSocket'],
    [undefined, 'WebSocket'],
    [null, 'options'],
  ])('with the options %p where the runtime has no WebSocket is refused at once', (options, named) => {
    const atRuntime = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      expect(() => webSocketTransport('ws://gateway/', options as never)).toThrow(ConfigError);
      expect(() => webSocketTransport('ws://gateway/', options as never)).toThrow(named);
    } finally {
      if (atRuntime) Object.defineProperty(globalThis, 'WebSocket', atRuntime);
    }
  });

  it('takes the WebSocket of the runtime where none is given', async () => {
    const { address, accepted } = await opened.listen();
    const atRuntime = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    Object.defineProperty(globalThis, 'WebSocket', { value: WebSocket, configurable: true });
    try {
      const transport = await opened.dial(webSocketTransport(`ws://${address}/`));
      const heard = probe(await accepted);
      transport.write(pattern(10, 1));
      await heard.received(10);
    } finally {
      if (atRuntime) Object.defineProperty(globalThis, 'WebSocket', atRuntime);
      else Reflect.deleteProperty(globalThis, 'WebSocket');
    }
  });

  it.each([
    ['ws://gateway/usmp', 'gateway:80'],
    ['wss://gateway', 'gateway:443'],
    ['wss://[2001:db8::1]:8443/', '[2001:db8::1]:8443'],
  ])('to %s calls its peer %s', async (url, remoteAddress) => {
    const server = await opened.listen();
    class Elsewhere extends WebSocket {
      constructor(_url: string, subprotocol: string) {
        super(`ws://${server.address}/`, subprotocol);
      }
    }
    const transport = await opened.dial(webSocketTransport(url, { WebSocket: Elsewhere }));

    expect(transport.remoteAddress).toBe(remoteAddress);
  });

  it('reports a WebSocket that the runtime refuses as CONNECT_FAILED, with the cause', async () => {
    const cause = new DOMException('an insecure WebSocket from a page loaded over https', 'SecurityError');
    const refusing = function () {
      throw cause;
    } as unknown as typeof WebSocket;
    const error = await dialError(webSocketTransport('ws://gateway/', { WebSocket: refusing }));

    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause });
  });

  it('shows host, port and path in an error, but no query', async () => {
    const { address, listener } = await opened.listen();
    await listener.close();
    const error = await dialError(webSocketTransport(`ws://${address}/usmp?token=secret`, { WebSocket }));

    expect(error.message).toContain(`ws://${address}/usmp: `);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } });
    expect(error.message).not.toContain('secret');
  });

  it('says so where the runtime gives no reason, as browsers do', async () => {
    const { address, listener } = await opened.listen();
    await listener.close();
    const taciturn = function (url: string, subprotocol: string) {
      const socket = new WebSocket(url, subprotocol);
      const listen = socket.addEventListener.bind(socket);
      const addEventListener = (type: 'error', listener: (event: object) => void) => listen(type, () => listener({}));
      return Object.assign(socket, { addEventListener });
    } as unknown as typeof WebSocket;
    const error = await dialError(webSocketTransport(`ws://${address}/`, { WebSocket: taciturn }));

    expect(error).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining('console') });
  });

  it('reports an HTTP server that is no WebSocket there as CONNECT_FAILED', async () => {
    const { address } = await opened.listen({ path: '/usmp' });
    const error = await dialError(dialerOf(address));

    expect(error).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining('404') });
  });

  it('reports a server that does not choose usmp.v2 as CONNECT_FAILED', async () => {
    const { dialer, server } = await opened.plainServer();
    server.options.handleProtocols = () => false;

    expect(await dialError(dialer)).toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('subprotocol'),
    });
  });

  it('looks itself what the server chose, as some browsers leave it to the page, and closes', async () => {
    const { server, accepted } = await opened.plainServer();
    class Lenient extends WebSocket {
      constructor(url: string) {
        super(url, []);
      }
    }
    const { port } = server.address() as AddressInfo;
    const error = dialError(webSocketTransport(`ws://127.0.0.1:${port}/`, { WebSocket: Lenient }));
    await closing(await accepted);

    expect(await error).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining('usmp.v2') });
  });

  it('that is unsubscribed from while the server keeps silent closes its connection', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    opened.add(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const attempt = dialerOf(`127.0.0.1:${port}`).dial().subscribe();
    const [socket] = (await once(silent, 'connection')) as [Socket];
    attempt.unsubscribe();
    socket.resume();
    await once(socket, 'close');

    expect(socket.destroyed).toBe(true);
  });
});

describe('a client over WebSocket', () => {
  /** A client’s transport and the WebSocket at the other end. */
  async function connect() {
    const { dialer, accepted } = await opened.plainServer();
    return { client: await opened.dial(dialer), server: await accepted };
  }

  it('sends binary messages, none of them longer than 64 KiB', async () => {
    const { client, server } = await connect();
    const messages: Buffer[] = [];
    const whole = new Promise<void>((resolve) => {
      server.on('message', (data, isBinary) => {
        if (isBinary) messages.push(data as Buffer);
        if (Buffer.concat(messages).length === 150_000) resolve();
      });
    });
    client.write(pattern(150_000, 1));
    await whole;

    expect(messages.map(({ length }) => length)).toEqual([65_536, 65_536, 18_928]);
    expect(Buffer.concat(messages).equals(pattern(150_000, 1))).toBe(true);
  });

  it('takes the byte stream however it is cut into messages and fragments, empty ones too', async () => {
    const { client, server } = await connect();
    const heard = probe(client);
    const all = pattern(5_000, 3);
    let at = 0;
    for (const length of [0, 1, 0, 491, 1, 2_000, 7, 0, 2_500]) {
      server.send(all.subarray(at, (at += length)), { fin: length % 2 === 0 });
    }
    await heard.received(all.length);

    expect(Buffer.compare(heard.bytes, all)).toBe(0);
    expect(heard.chunks.every(({ length }) => length > 0)).toBe(true);
  });

  it('ends with close code 1000, and resets with another', async () => {
    const [first, second] = [await connect(), await connect()];
    const codes = Promise.all([closing(first.server), closing(second.server)]);
    first.client.end();
    second.client.reset();

    expect(await codes).toEqual([
      [1000, ''],
      [4000, 'reset'],
    ]);
  });

  it.each([
    ['code 1000', (server: WebSocket) => server.close(1000), undefined],
    ['code 1001', (server: WebSocket) => server.close(1001), 'code 1001 (going away)'],
    ['a reason', (server: WebSocket) => server.close(4321, 'a\nb'), String.raw`code 4321 ("a\nb")`],
    ['no code', (server: WebSocket) => server.close(), 'code 1005 (no code given)'],
    ['no close frame', (server: WebSocket) => server.terminate(), 'code 1006 (the connection was lost)'],
  ])('tells how the peer closed: %s', async (_, close, cause) => {
    const { client, server } = await connect();
    const heard = probe(client);
    close(server);
    await heard.ended();

    expect((heard.cause as Error | undefined)?.message).toEqual(cause && expect.stringContaining(cause));
  });

  it.each([
    ['a text message', (server: WebSocket) => server.send('hello'), 'text message'],
    ['a message of more than 1 MiB', (server: WebSocket) => server.send(new Uint8Array(2 ** 20 + 1)), '1048577 bytes'],
  ])('breaks the connection at %s', async (_, send, cause) => {
    const { client, server } = await connect();
    const heard = probe(client);
    const closed = closing(server);
    server.send(pattern(10, 1));
    send(server);
    server.send(pattern(10, 2));
    await heard.ended();

    expect(heard.cause).toMatchObject({ message: expect.stringContaining(cause) });
    expect(heard.bytes).toEqual(pattern(10, 1));
    expect((await closed)[0]).toBe(4000);
  });

  it('breaks the connection at what is no WebSocket frame', async () => {
    const { client, server } = await connect();
    const heard = probe(client);
    // No extension was agreed on, so the reserved bits have to be 0.
    (Reflect.get(server, '_socket') as Socket).write(Buffer.alloc(100, 0xff));
    await heard.ended();

    expect(heard.cause).toBeInstanceOf(Error);
    expect(heard.length).toBe(0);
  });

  it('that is paused keeps 1 MiB, then gives what it has and ends with INBOX_FULL', async () => {
    const { client, server } = await connect();
    const heard = probe(client);
    const closed = closing(server);
    client.pause();
    const piece = new Uint8Array(64 * 1024);
    for (let n = 0; n < 20; n++) server.send(piece);
    await heard.ended();

    expect(heard.cause).toBeInstanceOf(ConnectionClosedError);
    expect(heard.cause).toMatchObject({ code: 'INBOX_FULL', origin: 'local' });
    expect(heard.length).toBe(16 * 64 * 1024);
    expect(await closed).toEqual([4000, 'inbox full']);
  });

  it('that is paused does not keep any number of tiny messages', async () => {
    const { client, server } = await connect();
    const heard = probe(client);
    client.pause();
    for (let n = 0; n < 10_000; n++) server.send(Uint8Array.of(n));
    await heard.ended();

    expect(heard.cause).toMatchObject({ code: 'INBOX_FULL' });
    expect(heard.chunks).toHaveLength(1);
    expect(heard.bytes).toEqual(Uint8Array.from({ length: heard.length }, (_, n) => n));
  });
});
