import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { firstValueFrom, type Subscription } from 'rxjs';
import { nodeCrypto } from '../../src/crypto/node.js';
import { ConfigError, ConnectionClosedError, parseDeviceId, parsePsk } from '../../src/protocol/index.js';
import { defaultScheduler } from '../../src/session/default-scheduler.js';
import { runClientHandshake } from '../../src/session/handshake.js';
import { sessionLimits } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import { SimulatedGateway } from '../../src/testing/index.js';
import { tcpDialer, tcpListener } from '../../src/transport/tcp.js';
import type { Listener, Transport } from '../../src/transport/transport.js';
import { dialingContract } from './dialing-contract.js';
import { transportContract, type TransportPair } from './contract.js';
import { probe } from './probe.js';

const listeners: Listener[] = [];

/** Listens on a free port. */
async function listen(accept: (transport: Transport) => void = () => {}): Promise<number> {
  const listener = tcpListener({ port: 0 });
  listeners.push(listener);
  const address = await listener.listen(accept);
  return Number(address.split(':').at(-1));
}

afterEach(async () => {
  jest.restoreAllMocks();
  for (const listener of listeners.splice(0)) await listener.close();
});

async function connect(): Promise<TransportPair> {
  let accepted: (transport: Transport) => void = () => {};
  const server = new Promise<Transport>((resolve) => {
    accepted = resolve;
  });
  const port = await listen(accepted);
  return [await firstValueFrom(tcpDialer({ port }).dial()), await server];
}

describe('the TCP transport', () => {
  transportContract('tcp', connect);

  it('sends small writes at once: Nagle’s algorithm is off at both ends', async () => {
    const setNoDelay = jest.spyOn(Socket.prototype, 'setNoDelay');
    const [left, right] = await connect();
    left.destroy();
    right.destroy();

    expect(setNoDelay.mock.calls).toEqual([[true], [true]]);
  });

  it('probes a silent peer, so that one that vanished is noticed', async () => {
    const setKeepAlive = jest.spyOn(Socket.prototype, 'setKeepAlive');
    const [left, right] = await connect();
    left.destroy();
    right.destroy();

    expect(setKeepAlive.mock.calls).toEqual([
      [true, 30_000],
      [true, 30_000],
    ]);
  });

  it('is flushed when the kernel has taken everything that was written, and not before', async () => {
    const [left, right] = await connect();
    const heard = probe(right);
    right.pause();
    expect(left.isFlushed).toBe(true);
    left.write(Uint8Array.of(1, 2, 3));
    expect(left.isFlushed).toBe(true);
    // More than the kernel takes for a peer that does not read.
    const drained = new Promise<void>((resolve) => {
      left.attach({ data() {}, drain: resolve, end() {} });
    });
    for (let n = 0; n < 40; n++) left.write(new Uint8Array(1_000_000).fill(n));
    expect(left.isFlushed).toBe(false);
    right.resume();
    await drained;
    expect(left.isFlushed).toBe(true);
    left.end();
    await heard.ended();
  });

  it('tells how a peer reset the connection', async () => {
    const [left, right] = await connect();
    const heard = probe(right);
    left.reset();
    await heard.ended();

    expect(heard.cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('survives a peer that resets the connection while data is unread', async () => {
    const [left, right] = await connect();
    const heard = probe(right);
    left.write(new Uint8Array(100_000));
    left.reset();
    await heard.ended();

    expect(heard.log.at(-1)).toBe('end');
  });
});

describe('TCP', () => {
  dialingContract((address) => {
    const { port } = new URL(`tcp://${address ?? '127.0.0.1:0'}`);
    return {
      listener: tcpListener({ port: Number(port) }),
      dialer: (bound) => tcpDialer({ port: Number(bound.split(':').at(-1)) }),
    };
  });
});

describe('a TCP dialer', () => {
  const failure = (subscribe: (report: (error: unknown) => void) => Subscription): Promise<unknown> =>
    new Promise((resolve) => subscribe(resolve));

  const dialError = (host: string, port: number): Promise<unknown> =>
    failure((report) => tcpDialer({ host, port }).dial().subscribe({ error: report }));

  it('reports a host that does not resolve as CONNECT_FAILED, with the cause', async () => {
    const error = await dialError('does-not-exist.invalid', 9);

    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { syscall: 'getaddrinfo' } });
  });

  it('reports a port where nobody listens as CONNECT_FAILED, with the cause', async () => {
    const [port] = await freePort();
    const error = await dialError('127.0.0.1', port);

    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } });
  });

  it('that is unsubscribed from before it connects cancels the attempt', async () => {
    const destroy = jest.spyOn(Socket.prototype, 'destroy');
    const port = await listen();
    const outcomes: string[] = [];
    const attempt = tcpDialer({ port })
      .dial()
      .subscribe({ next: () => outcomes.push('next'), error: () => outcomes.push('error') });
    attempt.unsubscribe();
    const [socket] = destroy.mock.contexts as Socket[];
    await new Promise((resolve) => socket?.once('close', resolve));

    expect(socket?.destroyed).toBe(true);
    expect(outcomes).toEqual([]);
  });

  it('leaves its transport alone when it is unsubscribed from after', async () => {
    const port = await listen((accepted) => accepted.write(Uint8Array.of(1)));
    const transport = await new Promise<Transport>((resolve) => {
      const attempt = tcpDialer({ port })
        .dial()
        .subscribe((dialed) => {
          queueMicrotask(() => attempt.unsubscribe());
          resolve(dialed);
        });
    });
    const heard = probe(transport);
    await heard.received(1);
    transport.destroy();

    expect(heard.bytes).toEqual(Uint8Array.of(1));
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('refuses port %p', (port) => {
    expect(() => tcpDialer({ port })).toThrow(expect.objectContaining({ code: 'CONFIG_OPTION' }));
    expect(() => tcpListener({ port })).toThrow(expect.objectContaining({ code: 'CONFIG_OPTION' }));
  });
});

/** A port that is free now, and whoever had it. */
async function freePort(): Promise<[number]> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return [port];
}

describe('a TCP listener', () => {
  it('resolves with its address and takes a free port for 0', async () => {
    const listener = tcpListener({ port: 0 });
    const address = await listener.listen(() => {});
    await listener.close();

    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  });

  it('rejects with ConfigError CONFIG_ADDRESS where the port is in use', async () => {
    const port = await listen();
    const error = await tcpListener({ port })
      .listen(() => {})
      .catch((cause: unknown) => cause);

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'CONFIG_ADDRESS', cause: { code: 'EADDRINUSE' } });
    expect((error as ConfigError).message).toContain(`127.0.0.1:${port}`);
  });

  it('rejects with ConfigError CONFIG_ADDRESS where the address is not of this machine', async () => {
    const error = await tcpListener({ host: '192.0.2.1', port: 0 })
      .listen(() => {})
      .catch((cause: unknown) => cause);

    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG_ADDRESS' });
  });

  it('may be closed without ever having listened, and twice', async () => {
    const listener = tcpListener({ port: 0 });
    await listener.close();
    await listener.listen(() => {});
    await listener.close();
    await listener.close();
  });
});

describe('a session on TCP', () => {
  const psk = '0123456789abcdef';

  async function openSession(): Promise<{
    session: UsmpSession;
    gateway: SimulatedGateway;
    write: jest.SpiedFunction<Transport['write']>;
  }> {
    const listener = tcpListener({ port: 0 });
    listeners.push(listener);
    const gateway = new SimulatedGateway({ listener, psk, crypto: nodeCrypto });
    const port = Number((await gateway.listen()).split(':').at(-1));
    const transport = await firstValueFrom(tcpDialer({ port }).dial());
    const environment = { crypto: nodeCrypto, scheduler: defaultScheduler, timeoutMs: 10_000 };
    const session = await new Promise<UsmpSession>((resolve, reject) => {
      runClientHandshake(transport, parseDeviceId('00:11:22:33:44:55'), parsePsk(psk), environment).subscribe({
        next: (result) => {
          const limits = sessionLimits({}, { idleTimeoutMs: 60_000, keepaliveMs: undefined });
          const made = new UsmpSession(result, { ...environment, suite: 'aes-256-gcm', limits });
          made.start();
          resolve(made);
        },
        error: reject,
      });
    });
    return { session, gateway, write: jest.spyOn(transport, 'write') };
  }

  it('sends all frames of a message as one write', async () => {
    const { session, write } = await openSession();
    await session.send(new Uint8Array(1808));

    expect(write.mock.calls.map(([bytes]) => bytes.length)).toEqual([1808 + 4 * 40]);
    await session.bye();
  });

  it('sends what one tick sends as one write', async () => {
    const { session, write } = await openSession();
    await Promise.all([session.send('a'), session.send('b'), session.send('c')]);

    expect(write.mock.calls.map(([bytes]) => bytes.length)).toEqual([3 * 41]);
    await session.bye();
  });

  it('that says BYE with everything before it reaches the peer whole', async () => {
    const { session, gateway } = await openSession();
    const received: number[] = [];
    const ended = firstValueFrom(gateway.latest!.ends$);
    gateway.latest!.messages$.subscribe((message) => received.push(message.length));
    for (let n = 0; n < 200; n++) void session.send(new Uint8Array(1808));
    await session.bye();

    expect(await ended).toEqual({ origin: 'remote' });
    expect(received).toHaveLength(200);
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('ends at BYE also where the peer left data unread', async () => {
    const { session, gateway } = await openSession();
    for (let n = 0; n < 100; n++) void session.send(new Uint8Array(1808));
    gateway.latest!.bye();

    expect(await session.closed).toEqual({ origin: 'remote' });
  });
});
