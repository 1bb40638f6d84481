import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createSocket, Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { firstValueFrom, tap } from 'rxjs';
import { ConfigError, ConnectionClosedError } from '../../src/protocol/index.js';
import type { DatagramReceiver, DatagramSocket, DatagramTransport, PeerAddress } from '../../src/transport/datagram.js';
import { udpDialer, udpListener, type UdpAddress } from '../../src/transport/udp.js';
import { pattern } from '../protocol/pair.js';
import { datagramContract } from './datagram-contract.js';
import { Probe, probe } from './probe.js';

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const describeIpv6 = HAS_IPV6 ? describe : describe.skip;

const closables: (() => void)[] = [];

afterEach(() => {
  jest.restoreAllMocks();
  for (const close of closables.splice(0)) close();
});

const portOf = (address: string): number => Number(address.split(':').at(-1));

async function bind(address: UdpAddress, receive: DatagramReceiver = () => {}): Promise<DatagramSocket> {
  const socket = await udpListener(address).bind(receive);
  closables.push(() => socket.close());
  return socket;
}

async function dial(address: UdpAddress): Promise<DatagramTransport> {
  const transport = await firstValueFrom(udpDialer(address).dial());
  closables.push(() => transport.destroy());
  return transport;
}

/** Dials, and shows Node's socket too. */
async function dialWithSocket(port: number): Promise<{ transport: DatagramTransport; socket: Socket }> {
  const connect = jest.spyOn(Socket.prototype, 'connect');
  const transport = await dial({ port });
  const [socket] = connect.mock.contexts as Socket[];
  connect.mockRestore();
  return { transport, socket: socket! };
}

/** A port where nobody has bound now. */
async function freePort(): Promise<number> {
  const socket = await bind({ port: 0 });
  socket.close();
  return portOf(socket.address);
}

const isOpen = (socket: Socket): boolean => {
  try {
    return socket.getRecvBufferSize() > 0;
  } catch {
    return false;
  }
};

async function untilClosed(socket: Socket): Promise<void> {
  while (isOpen(socket)) await new Promise((resolve) => socket.once('close', resolve));
}

function speaks(host: string): void {
  datagramContract((address) => {
    const port = portOf(address ?? ':0');
    return {
      listener: udpListener({ host, port }),
      dialer: (bound) => udpDialer({ host, port: portOf(bound) }),
    };
  });

  it('carries 60 KB in one datagram', async () => {
    const heard = new Probe();
    const socket = await bind({ host, port: 0 }, (datagram) => heard.datagram(datagram));
    const transport = await dial({ host, port: portOf(socket.address) });
    transport.send(pattern(60_000, 1));
    await heard.received(60_000);

    expect(heard.chunks).toHaveLength(1);
    expect(Buffer.compare(heard.bytes, pattern(60_000, 1))).toBe(0);
  });

  it('loses what is too long for a datagram, and nothing else', async () => {
    const heard = new Probe();
    const peers: PeerAddress[] = [];
    const socket = await bind({ host, port: 0 }, (datagram, from) => {
      peers.push(from);
      heard.datagram(datagram);
    });
    const transport = await dial({ host, port: portOf(socket.address) });
    const answers = probe(transport);
    transport.send(new Uint8Array(70_000));
    transport.send(Uint8Array.of(1));
    await heard.received(1);
    socket.send(new Uint8Array(70_000), peers[0]!);
    socket.send(Uint8Array.of(2), peers[0]!);
    await answers.received(1);

    expect([heard.bytes, answers.bytes]).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
  });
}

describe('UDP on IPv4', () => speaks('127.0.0.1'));

describeIpv6('UDP on IPv6 (needs a machine that has ::1)', () => {
  speaks('::1');

  it('shows the address in brackets', async () => {
    const socket = await bind({ host: '::1', port: 0 });
    const transport = await dial({ host: '::1', port: portOf(socket.address) });

    expect(socket.address).toMatch(/^\[::1\]:[1-9]\d*$/);
    expect(transport.remoteAddress).toBe(socket.address);
  });

  it('on :: takes IPv4 too, and answers there', async () => {
    const heard = new Probe();
    const peers: PeerAddress[] = [];
    const socket = await bind({ host: '::', port: 0 }, (datagram, from) => {
      peers.push(from);
      heard.datagram(datagram);
    });
    const transport = await dial({ host: '127.0.0.1', port: portOf(socket.address) });
    const answers = probe(transport);
    transport.send(Uint8Array.of(1));
    await heard.received(1);
    socket.send(Uint8Array.of(2), peers[0]!);
    await answers.received(1);

    expect(peers[0]?.address).toBe('::ffff:127.0.0.1');
    expect(answers.bytes).toEqual(Uint8Array.of(2));
  });
});

describe('a UDP listener', () => {
  /** Binds, and shows Node's socket too. */
  async function bindWithSocket(receive?: DatagramReceiver): Promise<{ bound: DatagramSocket; socket: Socket }> {
    const binding = jest.spyOn(Socket.prototype, 'bind');
    const bound = await bind({ port: 0 }, receive);
    const [socket] = binding.mock.contexts as Socket[];
    binding.mockRestore();
    return { bound, socket: socket! };
  }

  it('resolves with its address and takes a free port for 0', async () => {
    expect((await bind({ port: 0 })).address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  });

  it('takes a name for an address of this machine', async () => {
    const { address, family } = await lookup('localhost');
    const socket = await bind({ host: 'localhost', port: 0 });

    expect(socket.address).toContain(family === 6 ? `[${address}]:` : `${address}:`);
  });

  it('says that a port is in use, and by which protocol', async () => {
    const port = portOf((await bind({ port: 0 })).address);
    const error = await bind({ port }).catch((cause: unknown) => cause);

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'CONFIG_ADDRESS', cause: { code: 'EADDRINUSE' } });
    expect((error as ConfigError).message).toBe(`could not listen on UDP 127.0.0.1:${port}: the port is in use`);
  });

  it.each([
    ['an address that is not of this machine', '192.0.2.1', { code: 'EADDRNOTAVAIL' }],
    ['a name without an address', 'does-not-exist.invalid', { syscall: 'getaddrinfo' }],
  ])('rejects with ConfigError CONFIG_ADDRESS for %s', async (_, host, cause) => {
    await expect(bind({ host, port: 0 })).rejects.toMatchObject({ name: 'ConfigError', code: 'CONFIG_ADDRESS', cause });
  });

  it('asks for a buffer of some megabytes, and does without', async () => {
    const setSize = jest.spyOn(Socket.prototype, 'setRecvBufferSize').mockImplementation(() => {
      throw new Error('ENOBUFS');
    });
    await bind({ port: 0 });

    expect(setSize.mock.calls[0]?.[0]).toBeGreaterThanOrEqual(1024 * 1024);
  });

  it('goes on after an error of its socket', async () => {
    const heard = new Probe();
    const { bound, socket } = await bindWithSocket((datagram) => heard.datagram(datagram));
    socket.emit('error', new Error('recvmsg ENOMEM'));
    socket.emit('error', new Error('recvmsg ENOMEM'));
    (await dial({ port: portOf(bound.address) })).send(Uint8Array.of(1));
    await heard.received(1);

    expect(heard.length).toBe(1);
  });

  it.each([
    ['port 0, where a forged datagram may come from', '127.0.0.1', 0],
    ['a port that is none', '127.0.0.1', 65_536],
    ['an address of the other family', '::1', 9],
    ['a name', 'localhost', 9],
  ])('loses what is sent to %s', async (_, address, port) => {
    const { bound, socket } = await bindWithSocket();
    const emitted = jest.spyOn(socket, 'emit');
    const heard = new Probe();
    const peer = await bind({ port: 0 }, (datagram) => heard.datagram(datagram));
    bound.send(Uint8Array.of(1), { address, port });
    bound.send(Uint8Array.of(2), { address: '127.0.0.1', port: portOf(peer.address) });
    await heard.received(1);

    expect(heard.bytes).toEqual(Uint8Array.of(2));
    expect(emitted).not.toHaveBeenCalled();
  });

  it.each([
    ['port', { port: -1 }],
    ['port', { port: 65_536 }],
    ['port', { port: 1.5 }],
    ['port', { port: '9000' }],
    ['port', {}],
    ['host', { host: '', port: 0 }],
    ['host', { host: 7, port: 0 }],
    ['address', undefined],
  ])('refuses a bad %s: %p', (option, address) => {
    expect(() => udpListener(address as UdpAddress)).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringMatching(`^${option}:`) }),
    );
    expect(() => udpDialer(address as UdpAddress)).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringMatching(`^${option}:`) }),
    );
  });
});

describe('a UDP dialer', () => {
  const dialError = (address: UdpAddress): Promise<unknown> => dial(address).catch((error: unknown) => error);

  it('refuses port 0, where nobody can be', () => {
    expect(() => udpDialer({ port: 0 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringMatching(/^port:/) }),
    );
  });

  it('reports a name without an address as CONNECT_FAILED, with the cause', async () => {
    const error = await dialError({ host: 'does-not-exist.invalid', port: 9 });

    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { syscall: 'getaddrinfo' } });
    expect((error as Error).message).toContain('UDP does-not-exist.invalid:9');
  });

  it('reports an address that nobody can have as CONNECT_FAILED, with the cause, and closes the socket', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    const error = await dialError({ host: '255.255.255.255', port: 9 });

    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'EACCES' } });
    await untilClosed(connect.mock.contexts[0] as Socket);
  });

  it('that is unsubscribed from while the name is looked up opens no socket', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    udpDialer({ port: 9 }).dial().subscribe().unsubscribe();
    // A dial from beginning to end: the lookup that was given up is over by then.
    await dial({ port: 9 });

    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('that is unsubscribed from before it gave its transport closes the socket', async () => {
    const events: string[] = [];
    const socket = await new Promise<Socket>((resolve) => {
      const connect = jest.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...to) {
        connect.mockRestore();
        this.once('connect', () => resolve(this));
        this.connect(...to);
        attempt.unsubscribe();
      });
      const attempt = udpDialer({ port: 9 })
        .dial()
        .subscribe({ next: () => events.push('next'), error: () => events.push('error') });
    });
    await untilClosed(socket);

    expect(events).toEqual([]);
  });

  it('leaves its transport alone when it is unsubscribed from after', async () => {
    const { transport, socket } = await dialWithSocket(9);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOpen(socket)).toBe(true);

    transport.destroy();
    await untilClosed(socket);
  });
});

describe('a dialed UDP socket', () => {
  it('drops what somebody sent to its port before it was connected', async () => {
    const server = await bind({ port: 0 }, (datagram, from) => server.send(datagram, from));
    const foreigner = createSocket('udp4');
    closables.push(() => foreigner.close());
    const connect = jest.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...to) {
      connect.mockRestore();
      this.bind(0, '127.0.0.1');
      foreigner.send('forged', this.address().port, '127.0.0.1', () => this.connect(...to));
    });
    const heard = new Probe();
    const transport = await firstValueFrom(
      udpDialer({ port: portOf(server.address) })
        .dial()
        .pipe(tap((dialed) => dialed.attach(heard))),
    );
    closables.push(() => transport.destroy());
    transport.send(Uint8Array.of(1));
    await heard.received(1);

    expect(heard.chunks).toEqual([Uint8Array.of(1)]);
  });

  it('is told that a datagram was refused, and lives', async () => {
    const port = await freePort();
    const { transport, socket } = await dialWithSocket(port);
    const heard = probe(transport);
    for (let n = 0; n < 3; n++) {
      const refusal = new Promise((resolve) => socket.once('error', resolve));
      transport.send(Uint8Array.of(n));
      expect(await refusal).toMatchObject({ code: 'ECONNREFUSED' });
    }
    const arrived = new Probe();
    await bind({ port }, (datagram) => arrived.datagram(datagram));
    transport.send(Uint8Array.of(9));
    await arrived.received(1);

    expect(arrived.bytes).toEqual(Uint8Array.of(9));
    expect(heard.log).toEqual([]);
  });

  it.each([
    ['stays', () => {}],
    ['is destroyed', (transport: DatagramTransport) => transport.destroy()],
  ])('that %s loses no datagram to the report that another one was refused', async (_, then) => {
    const port = await freePort();
    const transport = await dial({ port });
    const arrived = new Probe();
    // Binds within the call, before the report can be read otherwise than by sending.
    const server = createSocket({ type: 'udp4', lookup: (address, _, callback) => callback(null, address, 4) });
    closables.push(() => server.close());
    server.on('message', (message) => arrived.datagram(message));
    transport.send(Uint8Array.of(1));
    server.bind(port, '127.0.0.1');
    transport.send(Uint8Array.of(2));
    then(transport);
    await arrived.received(1);

    expect(arrived.bytes).toEqual(Uint8Array.of(2));
  });

  it('ends, once, when it is closed beneath us, and all else is harmless then', async () => {
    const { transport, socket } = await dialWithSocket(await freePort());
    const heard = probe(transport);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    transport.send(Uint8Array.of(1));
    await closed;
    transport.send(Uint8Array.of(2));
    transport.claim();
    transport.retire(Uint8Array.of(1), Uint8Array.of(2));
    transport.destroy();

    expect(heard.log).toEqual(['end']);
    expect(heard.cause).toBeInstanceOf(Error);
  });
});
