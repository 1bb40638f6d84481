import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { SimulatedDevice, text } from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import { concatBytes, ConfigError, encodeFrame, PacketType, type UsmpError } from '../../src/protocol/index.js';
import type { HandshakeFailure, ServerEvent } from '../../src/server/server-event.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { UsmpClient } from '../../src/node.js';
import { UsmpServer } from '../../src/server/server.js';
import { tcpDialer } from '../../src/transport/tcp.js';
import { DEVICE_ID, deviceIdOf, PSK } from './bench.js';

const openServers: UsmpServer[] = [];
const clients: UsmpClient[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(openServers.splice(0).map((server) => server.close({ graceMs: 100 })));
});

async function listening(options: Partial<ServerOptions> = {}): Promise<{ server: UsmpServer; port: number }> {
  const server = new UsmpServer({ psk: PSK, ...options });
  openServers.push(server);
  const { tcp } = await server.listen({ tcp: { port: 0 } });
  return { server, port: tcp.port };
}

const deviceAt = (port: number, deviceId = DEVICE_ID, psk = PSK, host = '127.0.0.1'): SimulatedDevice =>
  new SimulatedDevice({ dialer: tcpDialer({ host, port }), deviceId, psk, crypto: nodeCrypto });

/** A plain socket from an address of this machine, which may still be connecting. */
function socketTo(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** How the other side ends a connection: `FIN`, or the code of the error. */
async function endOf(socket: Socket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('end', () => resolve('FIN'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

const nextFailure = (server: UsmpServer): Promise<HandshakeFailure> => firstValueFrom(server.handshakeFailures$);

const nextEvent = <T extends ServerEvent['type']>(server: UsmpServer, type: T): Promise<ServerEvent & { type: T }> =>
  firstValueFrom(server.events$.pipe(filter((event): event is ServerEvent & { type: T } => event.type === type)));

const hello = (): Uint8Array =>
  encodeFrame(PacketType.HELLO, 0, concatBytes(new Uint8Array(6).fill(7), nodeCrypto.generateKeyPair().publicKey));

describe('listen({ tcp })', () => {
  it('resolves with host and port of what it bound, and their text', async () => {
    const server = new UsmpServer({ psk: PSK });
    openServers.push(server);
    const { tcp } = await server.listen({ tcp: { host: '127.0.0.2', port: 0 } });

    expect(tcp).toMatchObject({ host: '127.0.0.2', port: expect.any(Number) });
    expect(`${tcp}`).toBe(`127.0.0.2:${tcp.port}`);
    await deviceAt(tcp.port, DEVICE_ID, PSK, tcp.host).connect();
    expect(server.sessions.size).toBe(1);
  });

  it('listens on the loopback alone where no host is given', async () => {
    const { port } = await listening();
    const elsewhere = deviceAt(port, DEVICE_ID, PSK, '127.0.0.9');

    await expect(elsewhere.connect()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  it('rejects with CONFIG_ADDRESS where the port is in use, and keeps nothing that it opened beside', async () => {
    const { port } = await listening();
    const server = new UsmpServer({ psk: PSK });
    openServers.push(server);
    const close = jest.fn(() => Promise.resolve());
    const beside = { kind: 'memory' as const, listen: () => Promise.resolve('beside'), close };
    const error = await server.listen({ tcp: { port }, listeners: [beside] }).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'CONFIG_ADDRESS', message: expect.stringContaining(`127.0.0.1:${port}`) });
    expect((error as UsmpError).message).toContain('in use');
    expect(close).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['no address of this machine', '192.0.2.1'],
    ['a name that can not be resolved', 'a..b'],
  ])('rejects with CONFIG_ADDRESS where the host is %s', async (_, host) => {
    const server = new UsmpServer({ psk: PSK });

    await expect(server.listen({ tcp: { host, port: 0 } })).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'CONFIG_ADDRESS',
    });
  });

  it('gives a free port for 0, and the same port again right after close()', async () => {
    const { server, port } = await listening();
    await deviceAt(port).connect();
    await server.close();

    const reopened = new UsmpServer({ psk: PSK });
    openServers.push(reopened);
    await expect(reopened.listen({ tcp: { port } })).resolves.toMatchObject({ tcp: { port } });
    await deviceAt(port).connect();
    expect(reopened.sessions.size).toBe(1);
  });

  it('frees the port when close() comes first', async () => {
    const server = new UsmpServer({ psk: PSK });
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await once(probe.close(), 'close');
    const opening = server.listen({ tcp: { port } });
    await server.close();

    await expect(opening).rejects.toMatchObject({ code: 'WRONG_STATE' });
    expect(await endOf(socketTo(port))).toBe('ECONNREFUSED');
  });
});

describe('over TCP', () => {
  it('200 devices at once get their sessions and their answers', async () => {
    const { server, port } = await listening({ maxUnauthenticatedPerAddress: 200 });
    server.onSession(async (session) => {
      for await (const message of session) await session.send(`${session.deviceId} ${text(message)}`);
    });
    const ids = Array.from({ length: 200 }, (_, n) => deviceIdOf(n));
    const answers = await Promise.all(
      ids.map(async (deviceId) => {
        const device = deviceAt(port, deviceId);
        const answers$ = device.messages$.pipe(take(2), toArray());
        const answered = firstValueFrom(answers$);
        await device.connect();
        device.send('one');
        device.send('two');
        return (await answered).map(text);
      }),
    );

    expect(answers).toEqual(ids.map((id) => [`${id} one`, `${id} two`]));
    expect(server.sessions.size).toBe(200);
    expect(server.counters).toMatchObject({ connectionsAccepted: 200, refused: {}, handshakeFailures: {} });
  });

  it('a session that the device ends in an orderly way without BYE fails with CLOSED_WITHOUT_BYE', async () => {
    const { server, port } = await listening();
    const device = deviceAt(port);
    await device.connect();
    const closed = nextEvent(server, 'session-closed');
    device.end();

    expect((await closed).info).toMatchObject({ origin: 'remote', error: { code: 'CLOSED_WITHOUT_BYE' } });
    expect((await closed).info.error?.cause).toBeUndefined();
  });

  it('a session that is reset fails with CLOSED_WITHOUT_BYE, whose cause is ECONNRESET', async () => {
    const { server, port } = await listening();
    const device = deviceAt(port);
    await device.connect();
    const closed = nextEvent(server, 'session-closed');
    device.cut();

    expect((await closed).info.error).toMatchObject({ code: 'CLOSED_WITHOUT_BYE', cause: { code: 'ECONNRESET' } });
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ['FIN', (socket) => socket.end()],
    ['RST', (socket) => socket.resetAndDestroy()],
  ])('a connection that ends with %s in its handshake fails with HANDSHAKE_INTERRUPTED', async (_, end) => {
    const { server, port } = await listening();
    for (const parts of [[], [hello()]]) {
      const failure = nextFailure(server);
      const socket = socketTo(port);
      await once(socket, 'connect');
      for (const part of parts) {
        socket.write(part);
        await once(socket, 'data');
      }
      end(socket);

      expect((await failure).error.code).toBe('HANDSHAKE_INTERRUPTED');
    }
  });

  it('a wrong PSK is answered with FIN, and everything else with RST', async () => {
    const { port } = await listening({ handshakeTimeoutMs: 100 });
    const proof = encodeFrame(PacketType.HELLO_ACK, 2, new Uint8Array(32));
    const ends: Record<string, string> = {};
    for (const [what, answer] of Object.entries({
      'wrong proof': proof,
      'no proof': undefined,
      'wrong frame': encodeFrame(PacketType.HELLO, 0, new Uint8Array(38)),
      'wrong CRC': proof.map((byte, at) => (at === 10 ? byte ^ 1 : byte)),
    })) {
      const socket = socketTo(port);
      socket.write(hello());
      await once(socket, 'data');
      if (answer) socket.write(answer);
      ends[what] = await endOf(socket);
    }

    expect(ends).toEqual({
      'wrong proof': 'FIN',
      'no proof': 'ECONNRESET',
      'wrong frame': 'ECONNRESET',
      'wrong CRC': 'ECONNRESET',
    });
  });

  it('a refused proof is closed for good although its peer neither closes nor stops talking', async () => {
    const { port } = await listening();
    const socket = socketTo(port);
    socket.write(hello());
    await once(socket, 'data');
    socket.write(encodeFrame(PacketType.HELLO_ACK, 2, new Uint8Array(32)));
    expect(await endOf(socket)).toBe('FIN');
    const talk = (): void => {
      if (socket.writable) socket.write(new Uint8Array(1_024), () => setImmediate(talk));
    };
    talk();

    expect(await new Promise((resolve) => socket.once('error', resolve))).toMatchObject({
      code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/),
    });
  });

  it('one address can not take all places, and devices of others come in', async () => {
    const { server, port } = await listening({ maxUnauthenticatedPerAddress: 3 });
    const accepted = firstValueFrom(
      server.events$.pipe(
        filter(({ type }) => type === 'connection-accepted'),
        take(3),
        toArray(),
      ),
    );
    const refused = nextEvent(server, 'connection-refused');
    for (let n = 0; n < 3; n++) socketTo(port, '127.0.0.7');
    await accepted;

    expect(await endOf(socketTo(port, '127.0.0.7'))).toBe('ECONNRESET');
    expect(await refused).toMatchObject({
      reason: 'address-limit',
      remoteAddress: expect.stringMatching(/^127.0.0.7:/),
    });
    await deviceAt(port).connect();
    expect(server.sessions.size).toBe(1);
  });

  it('connections that close at once leave no trace in the limits', async () => {
    const { server, port } = await listening({ maxUnauthenticatedPerAddress: 5, maxUnauthenticated: 5 });
    for (let n = 0; n < 100; n++) {
      const failure = nextFailure(server);
      socketTo(port).end();
      await failure;
    }
    await deviceAt(port).connect();

    expect(server.counters).toMatchObject({ refused: {}, handshakeFailures: { HANDSHAKE_INTERRUPTED: 100 } });
  });

  it('a device that stops reading makes send() wait, and its session ends with TIMEOUT_SEND', async () => {
    const { server, port } = await listening({ sendTimeoutMs: 300 });
    const opened = firstValueFrom(server.sessions$);
    const device = deviceAt(port);
    await device.connect();
    const session = await opened;
    device.stopReading();
    const message = new Uint8Array(1_808);
    let sent = 0;
    const stopped = (async () => {
      for (;;) {
        await session.send(message);
        sent++;
      }
    })();

    await expect(stopped).rejects.toMatchObject({ code: 'TIMEOUT_SEND' });
    expect(sent).toBeGreaterThan(10);
    expect(await session.closed).toMatchObject({ error: { name: 'TimeoutError', code: 'TIMEOUT_SEND' } });
    expect(server.counters.sessionsClosed).toEqual({ TIMEOUT_SEND: 1 });
  });

  it('a server that nobody reads from stops reading, so that the device feels it, and loses nothing', async () => {
    const { server, port } = await listening({ maxInboxMessages: 10 });
    const opened = firstValueFrom(server.sessions$);
    const device = deviceAt(port);
    await device.connect();
    const session = await opened;
    const paused = firstValueFrom(session.events$.pipe(filter(({ type }) => type === 'paused')));
    for (let n = 0; n < 1_000; n++) device.send(`${n}`);
    await paused;
    const received: number[] = [];
    while (received.length < 1_000) received.push(Number(text(await session.recv())));

    expect(received).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  it('bursts arrive as they were sent though long ones share memory, also where the kernel does not take them at once', async () => {
    const { server, port } = await listening({ maxOutboxBytes: 1e9 });
    const atServer = firstValueFrom(server.sessions$);
    const client = new UsmpClient({ port, deviceId: DEVICE_ID, psk: PSK, maxInboxMessages: 50 });
    clients.push(client);
    const atDevice = await client.connect();
    const session = await atServer;
    const messageOf = (n: number) => Buffer.alloc(400, Uint8Array.of(n, n >> 8, n >> 16));
    const settled: boolean[] = [];
    let sent = 0;
    // The kernel takes some megabytes for a device that does not read; then sending waits.
    while (settled.length === sent) {
      for (let n = 0; n < 60; n++)
        session.send(messageOf(sent++)).then(
          () => settled.push(true),
          () => {},
        );
      await turn();
      await turn();
      if (sent > 200_000) throw new Error('the kernel takes everything');
    }
    const more = (async () => {
      for (let n = 0; n < 100; n++) {
        for (let m = 0; m < 60; m++) session.send(messageOf(sent++)).catch(() => {});
        await turn();
      }
    })();
    for (let n = 0; n < sent; n++) {
      const message = await atDevice.recv();
      if (Buffer.compare(message, messageOf(n)) !== 0) throw new Error(`message ${n} is not as it was sent`);
    }
    await more;
    expect(sent).toBeGreaterThan(6_000);
  });

  it('close() says BYE to all, and ends what does not answer when the grace is over', async () => {
    const { server, port } = await listening();
    const device = deviceAt(port, deviceIdOf(1));
    await device.connect();
    const mute = deviceAt(port, deviceIdOf(2));
    await mute.connect();
    mute.stopReading();
    const ended = firstValueFrom(device.ends$);
    const bye = firstValueFrom(device.frames$);
    await server.close({ graceMs: 50 });

    expect((await bye).type).toBe(PacketType.BYE);
    expect(await ended).toMatchObject({ origin: 'remote' });
    expect(server.counters.sessionsClosed).toEqual({ BYE: 2 });
    expect(server.sessions.size).toBe(0);
  });
});
