import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket, type Socket } from 'node:dgram';
import { firstValueFrom } from 'rxjs';
import { UsmpClient, UsmpServer, type ServerEvent, type ServerOptions, type Session } from '../../src/node.js';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { pattern } from '../protocol/pair.js';
import { DEVICE_ID, deviceIdOf, PSK } from './bench.js';

const servers: UsmpServer[] = [];
const clients: UsmpClient[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 200 })));
  for (const socket of sockets.splice(0)) socket.close();
});

function newServer(options: Partial<ServerOptions> = {}): UsmpServer {
  const server = new UsmpServer({ psk: PSK, ...options });
  servers.push(server);
  return server;
}

function newClient(
  port: number,
  { transport = 'udp', ...options }: { transport?: 'tcp' | 'udp'; deviceId?: string; host?: string; psk?: string } = {},
): UsmpClient {
  const client = new UsmpClient({ transport, port, deviceId: DEVICE_ID, psk: PSK, ...options });
  clients.push(client);
  return client;
}

const eventOf = <T extends ServerEvent['type']>(server: UsmpServer, type: T): Promise<ServerEvent & { type: T }> =>
  new Promise((resolve) => {
    const watching = server.events$.subscribe((event) => {
      if (event.type !== type) return;
      watching.unsubscribe();
      resolve(event as ServerEvent & { type: T });
    });
  });

describe('a server on TCP and UDP', () => {
  it('listens on both under one port number, and their sessions look the same', async () => {
    const server = newServer();
    server.onSession(async (session) => {
      for await (const message of session) await session.send(message);
    });
    const { tcp } = await server.listen({ tcp: { port: 0 } });
    const { udp } = await server.listen({ udp: { port: tcp.port } });
    expect(udp.port).toBe(tcp.port);

    for (const [n, transport] of (['tcp', 'udp'] as const).entries()) {
      const client = newClient(tcp.port, { transport, deviceId: deviceIdOf(n + 1) });
      const session = await client.connect();
      for (const bytes of [0, 1, 452, 453, 1808]) {
        await client.send(pattern(bytes, bytes));
        expect(await client.recv()).toEqual(pattern(bytes, bytes));
      }
      expect(session.transport).toBe(transport);
      expect(await session.ping()).toBeGreaterThanOrEqual(0);
      await session.rekey();
      await client.send('with new keys');
      expect(await client.recv()).toHaveLength(13);
    }
    expect([...server.sessions.values()].map(({ transport }) => transport)).toEqual(['tcp', 'udp']);
  });

  it('names what was bound in one call', async () => {
    const { tcp, udp } = await newServer().listen({ tcp: { port: 0 }, udp: { port: 0 } });

    expect([tcp.host, udp.host]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect([tcp.port, udp.port].every((port) => port > 0)).toBe(true);
  });

  it('opens nothing where one of them is taken', async () => {
    const { udp } = await newServer().listen({ udp: { port: 0 } });
    const other = newServer();
    await expect(other.listen({ tcp: { port: udp.port }, udp: { port: udp.port } })).rejects.toMatchObject({
      code: 'CONFIG_ADDRESS',
    });

    await expect(newServer().listen({ tcp: { port: udp.port } })).resolves.toBeDefined();
  });

  it('is reached over IPv6', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { host: '::1', port: 0 } });
    const session = await newClient(udp.port, { host: '::1' }).connect();

    expect(session.remoteAddress).toBe(`[::1]:${udp.port}`);
    expect([...server.sessions.values()][0]?.remoteAddress).toMatch(/^\[::1\]:\d+$/);
  });

  it('takes IPv4 and IPv6 on ::', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { host: '::', port: 0 } });
    await newClient(udp.port, { host: '127.0.0.1', deviceId: deviceIdOf(1) }).connect();
    await newClient(udp.port, { host: '::1', deviceId: deviceIdOf(2) }).connect();

    expect(server.sessions.size).toBe(2);
  });

  it('replaces the session of a device that comes back from another port, once it has authenticated', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { port: 0 } });
    await newClient(udp.port).connect();
    const first = server.session(DEVICE_ID) as Session;
    const opened = eventOf(server, 'session-opened');
    await Promise.all([newClient(udp.port).connect(), opened]);
    const { replaced, session } = await opened;

    expect(replaced).toEqual([first]);
    expect(await first.closed).toEqual({ origin: 'local' });
    expect(session.remoteAddress).not.toBe(first.remoteAddress);
  });

  it('tells nobody but its own log of a wrong PSK, and the client sees only silence', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { port: 0 } });
    const failed = firstValueFrom(server.handshakeFailures$);
    const client = newClient(udp.port, { psk: 'another pre-shared key' });
    void client.connect();

    expect(await failed).toMatchObject({ deviceId: DEVICE_ID, transport: 'udp', error: { code: 'AUTH_HMAC' } });
    expect(server.counters.handshakeFailures).toEqual({ AUTH_HMAC: 1 });
  });

  it('says BYE to its sessions when it closes, and frees the port', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { port: 0 } });
    const session = await newClient(udp.port).connect();
    await Promise.all([server.close(), session.closed]);

    expect(await session.closed).toEqual({ origin: 'remote' });
    await expect(newServer().listen({ udp: { port: udp.port } })).resolves.toMatchObject({ udp: { port: udp.port } });
  });
});

describe('datagrams that belong to no session', () => {
  it('are dropped in silence, counted by reason and told as events', async () => {
    const server = newServer();
    const { udp } = await server.listen({ udp: { port: 0 } });
    const events: ServerEvent[] = [];
    server.events$.subscribe((event) => events.push(event));
    const socket = createSocket('udp4');
    sockets.push(socket);
    let answers = 0;
    socket.on('message', () => answers++);
    const hello = encodeFrame(PacketType.HELLO, 0, pattern(38, 1));
    const broken = Uint8Array.from(hello, (byte, at) => (at === 20 ? byte ^ 1 : byte));
    const datagrams = [
      pattern(0, 1),
      pattern(100, 1),
      encodeFrame(PacketType.DATA, 0, pattern(40, 1)),
      Uint8Array.of(0xac, 0xac, 1, 0, 0, 0, 0),
      broken,
      encodeFrame(PacketType.HELLO, 0, pattern(39, 1)),
      encodeFrame(PacketType.HELLO, 1, pattern(54, 1)),
    ];
    for (const datagram of datagrams) socket.send(datagram, udp.port, '127.0.0.1');
    // The one that is answered comes last.
    await new Promise<void>((resolve) => {
      socket.on('message', (message) => {
        if (message.length === 28) resolve();
      });
      socket.send(hello, udp.port, '127.0.0.1');
    });

    expect(answers).toBe(2);
    expect(server.counters.dropped).toEqual({ 'unknown-peer': 4, malformed: 2, cookie: 1 });
    expect(server.counters).toMatchObject({ connectionsAccepted: 0, handshakeFailures: {} });
    expect(events).toHaveLength(datagrams.length);
    expect(events[0]).toEqual({
      type: 'datagram-dropped',
      reason: 'unknown-peer',
      transport: 'udp',
      remoteAddress: `127.0.0.1:${socket.address().port}`,
    });
  });
});
