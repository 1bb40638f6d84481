import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { bytes, datagramNetwork, text, udpProxy, VirtualTime, type PathOptions, type UdpProxy } from 'usmp-rx/testing';
import { formatPeerAddress, type DatagramSocket, type PeerAddress } from '../../src/transport/datagram.js';
import { udpDialer, udpListener } from '../../src/transport/udp.js';
import { probe, type Probe } from '../transport/probe.js';

const opened: { close(): void }[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** A server that says everything again, behind a proxy. */
async function echoBehindProxy(options: PathOptions = {}) {
  const heard: { datagram: string; from: PeerAddress }[] = [];
  const server: DatagramSocket = await udpListener({ port: 0 }).bind((datagram, from) => {
    heard.push({ datagram: text(datagram), from });
    server.send(datagram, from);
  });
  const proxy = await udpProxy({
    ...options,
    listener: udpListener({ port: 0 }),
    target: { address: '127.0.0.1', port: portOf(server) },
    upstream: () => udpListener({ port: 0 }),
  });
  opened.push(server, proxy);
  return { server, proxy, heard };
}

const portOf = ({ address }: { address: string }): number => Number(address.split(':').at(-1));

async function dial({ host, port }: UdpProxy) {
  const client = await firstValueFrom(udpDialer({ host, port }).dial());
  const answers = probe(client);
  opened.push({ close: () => client.destroy() });
  return { client, answers };
}

const textsOf = ({ chunks }: Probe): string[] => chunks.map(text);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

describe('a UDP proxy', () => {
  it('carries datagrams both ways, and its server tells clients apart', async () => {
    const { proxy, heard } = await echoBehindProxy();
    const [a, b] = [await dial(proxy), await dial(proxy)];
    a.client.send(bytes('from a'));
    b.client.send(bytes('from b'));
    await Promise.all([a.answers.received(6), b.answers.received(6)]);
    a.client.send(bytes('again'));
    await a.answers.received(11);

    expect([textsOf(a.answers), textsOf(b.answers)]).toEqual([['from a', 'again'], ['from b']]);
    const portsOf = (datagram: string): number[] =>
      heard.filter((one) => one.datagram === datagram).map(({ from }) => from.port);
    expect(portsOf('again')).toEqual(portsOf('from a'));
    expect(portsOf('from b')).not.toEqual(portsOf('from a'));
    expect(proxy.counters).toMatchObject({ toServer: { sent: 3 }, toClient: { sent: 3 } });
  });

  it('tells where clients reach it', async () => {
    const { proxy } = await echoBehindProxy();

    expect(proxy).toMatchObject({ address: `127.0.0.1:${proxy.port}`, host: '127.0.0.1' });
    expect(proxy.port).toBeGreaterThan(0);
  });

  it('does to each direction what its conditions say', async () => {
    const { proxy, heard } = await echoBehindProxy({ toServer: { loss: 0.3, duplication: 0.2 } });
    const { client, answers } = await dial(proxy);
    for (let n = 0; n < 200; n++) {
      client.send(bytes(`${n}`));
      // One at a time, so that no buffer of the kernel overflows.
      await until(() => proxy.counters.toServer.sent === n + 1);
    }
    const { lost, duplicated } = proxy.counters.toServer;
    await answers.until(() => answers.chunks.length === 200 - lost + duplicated);

    expect(lost).toBeGreaterThan(30);
    expect(duplicated).toBeGreaterThan(10);
    expect(heard).toHaveLength(200 - lost + duplicated);
    expect(proxy.counters.toClient).toMatchObject({ sent: heard.length, lost: 0, duplicated: 0 });
  });

  it('corrupts, delays and blacks out in real time, and takes other conditions while it runs', async () => {
    const { proxy } = await echoBehindProxy({ toClient: { corruption: 1, delayMs: 30 } });
    const { client, answers } = await dial(proxy);
    const start = performance.now();
    client.send(bytes('a'));
    await answers.until(() => answers.chunks.length === 1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    expect(textsOf(answers)).not.toEqual(['a']);
    proxy.goDown();
    client.send(bytes('lost'));
    await until(() => proxy.counters.toServer.blackedOut === 1);
    proxy.comeUp();
    proxy.setConditions({ toClient: {} });
    client.send(bytes('b'));
    await answers.until(() => answers.chunks.length === 2);

    expect(textsOf(answers)[1]).toBe('b');
  });

  it('meets the datagrams with the same faults for the same seed', async () => {
    const fates = async (seed: string): Promise<number[]> => {
      const { proxy } = await echoBehindProxy({ seed, toServer: { loss: 0.5 } });
      const { client } = await dial(proxy);
      const lost: number[] = [];
      for (let n = 1; n <= 50; n++) {
        client.send(bytes('a'));
        await until(() => proxy.counters.toServer.sent === n);
        lost.push(proxy.counters.toServer.lost);
      }
      return lost;
    };
    const first = await fates('a seed');

    expect(await fates('a seed')).toEqual(first);
    expect(await fates('another seed')).not.toEqual(first);
  });

  it('rejects where it cannot listen, or a condition cannot be', async () => {
    const { server } = await echoBehindProxy();
    const target = { address: '127.0.0.1', port: 9 };
    const upstream = () => udpListener({ port: 0 });
    const listener = udpListener({ port: portOf(server) });

    await expect(udpProxy({ listener, target, upstream })).rejects.toMatchObject({ code: 'CONFIG_ADDRESS' });
    await expect(udpProxy({ listener, target, upstream, toServer: { loss: 2 } })).rejects.toMatchObject({
      code: 'CONFIG_OPTION',
      message: expect.stringContaining('toServer.loss:'),
    });
  });
});

describe('a proxy on sockets in memory', () => {
  const GATEWAY = { address: 'gateway', port: 1 };
  const PROXY = { address: 'proxy', port: 1 };

  async function open(options: PathOptions = {}) {
    const scheduler = new VirtualTime();
    const network = datagramNetwork({ scheduler });
    const heard: string[] = [];
    await network
      .listener('gateway')
      .bind((datagram, from) => heard.push(`${formatPeerAddress(from)} ${text(datagram)}`));
    let upstreams = 0;
    const names: string[] = [];
    const proxy = await udpProxy({
      ...options,
      scheduler,
      listener: network.listener('proxy'),
      target: GATEWAY,
      upstream: () => network.listener(names.shift() ?? `upstream-${++upstreams}`),
    });
    const send = async (port: number, datagram = 'a'): Promise<void> => {
      network.inject(bytes(datagram), { from: { address: 'client', port }, to: PROXY });
      await scheduler.advance();
    };
    return { scheduler, network, heard, proxy, names, send };
  }

  it('has a bounded number of clients: who was silent for longest gets a new socket', async () => {
    const { network, heard, send } = await open();
    for (let port = 1; port <= 256; port++) await send(port);
    await send(1, 'alive');
    await send(257);
    expect(heard.splice(0).slice(-2)).toEqual(['upstream-1:1 alive', 'upstream-257:1 a']);
    await send(1, 'b');
    await send(2, 'c');

    expect(heard).toEqual(['upstream-1:1 b', 'upstream-258:1 c']);
    await expect(network.listener('upstream-2').bind(() => {})).resolves.toBeDefined();
  });

  it('loses what comes while a client has no socket, and tries again', async () => {
    const { heard, names, send } = await open();
    names.push('gateway');
    await send(1, 'lost');
    await send(1, 'heard');

    expect(heard).toEqual(['upstream-1:1 heard']);
  });

  it('that is closed has no sockets, and what is under way is lost', async () => {
    const { scheduler, network, heard, proxy, send } = await open({ toServer: { delayMs: 50 } });
    await send(1);
    proxy.close();
    await send(1);
    await scheduler.advance(100);

    expect(heard).toEqual([]);
    for (const name of ['proxy', 'upstream-1']) await network.listener(name).bind(() => {});
  });

  it('knows its host and port where its address is one of IPv6', async () => {
    const socket: DatagramSocket = { address: '[::1]:4711', send() {}, close() {} };
    const listener = { kind: 'udp', bind: () => Promise.resolve(socket) } as const;
    const proxy = await udpProxy({ listener, target: GATEWAY, upstream: () => listener });

    expect(proxy).toMatchObject({ address: '[::1]:4711', host: '::1', port: 4711 });
  });
});
