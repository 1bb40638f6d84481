import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { ConfigError } from '../../src/protocol/index.js';
import type {
  DatagramDialer,
  DatagramListener,
  DatagramSink,
  DatagramSocket,
  DatagramTransport,
  PeerAddress,
} from '../../src/transport/datagram.js';
import { pattern } from '../protocol/pair.js';
import { commonContract } from './common-contract.js';
import { probe, Probe } from './probe.js';

/** A place where one may bind a socket and that may be dialed. */
export interface DatagramPlace {
  readonly listener: DatagramListener;
  /** Dials the address of the bound socket. */
  readonly dialer: (address: string) => DatagramDialer;
}

/** What `bind` gave, and what it has received since. */
interface Bound {
  readonly socket: DatagramSocket;
  readonly heard: Probe;
  /** Who sent what was heard. */
  readonly peers: PeerAddress[];
}

/** The lengths of nothing, of a byte, of the longest frame and of what an Ethernet frame has room for. */
const LENGTHS = [0, 1, 492, 1500];

/** The other end of a datagram transport, in so far as the contract uses it. */
export type FarEnd = Pick<DatagramTransport, 'kind' | 'remoteAddress' | 'attach' | 'send' | 'destroy'>;

/** What every datagram transport has to do on a network without faults; `open` makes two ends that nobody listens to yet. */
export function datagramTransportContract(
  open: () => Promise<readonly [transport: DatagramTransport, farEnd: FarEnd]>,
): void {
  const { connect, settle } = commonContract('udp', open, (from, datagram) => from.send(datagram));

  describe('a datagram transport', () => {
    it('delivers each datagram whole, also an empty one, in both directions', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      for (const length of LENGTHS) {
        left.send(pattern(length, 1));
        right.send(pattern(length, 2));
      }
      await heardLeft.until(() => heardLeft.chunks.length === LENGTHS.length);
      await heardRight.until(() => heardRight.chunks.length === LENGTHS.length);

      const byLength = (datagrams: Uint8Array[]): Uint8Array[] => [...datagrams].sort((a, b) => a.length - b.length);
      expect(byLength(heardRight.chunks)).toEqual(LENGTHS.map((length) => pattern(length, 1)));
      expect(byLength(heardLeft.chunks)).toEqual(LENGTHS.map((length) => pattern(length, 2)));
    });

    it('loses what comes before the first sink', async () => {
      const [left, right] = await connect();
      left.send(Uint8Array.of(1));
      right.send(Uint8Array.of(2));
      await settle();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.send(Uint8Array.of(3));
      right.send(Uint8Array.of(4));
      await Promise.all([heardLeft.received(1), heardRight.received(1)]);

      expect([heardLeft.bytes, heardRight.bytes]).toEqual([Uint8Array.of(4), Uint8Array.of(3)]);
    });

    it('is not ended by a peer that is gone, however much is sent there', async () => {
      const [left, right] = await connect();
      const heard = probe(left);
      right.destroy();
      for (let n = 0; n < 5; n++) {
        left.send(Uint8Array.of(n));
        await settle();
      }

      expect(heard.log).toEqual([]);
    });

    it('goes on after it has claimed its address', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.claim();
      left.send(Uint8Array.of(1));
      right.send(Uint8Array.of(2));
      await Promise.all([heardLeft.received(1), heardRight.received(1)]);

      expect([heardLeft.log, heardRight.log]).toEqual([['data'], ['data']]);
    });

    it('sends what it was given before it was destroyed', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      left.send(pattern(492, 1));
      left.destroy();
      await heard.received(492);

      expect(heard.chunks).toEqual([pattern(492, 1)]);
    });

    it('that is destroyed tells a sink that is attached after nothing', async () => {
      const [left, right] = await connect();
      left.destroy();
      const heard = probe(left);
      left.claim();
      left.retire(Uint8Array.of(1), Uint8Array.of(2));
      const answers = probe(right);
      right.send(Uint8Array.of(1));
      await settle();

      expect([heard.log, answers.log]).toEqual([[], []]);
    });

    it('that is retired answers each repetition of the last datagram, and nothing else', async () => {
      const [left, right] = await connect();
      left.claim();
      const [heard, answers] = [probe(left), probe(right)];
      const last = pattern(40, 1);
      const answer = pattern(15, 2);
      left.retire(last, answer);
      for (const other of [pattern(40, 3), last.subarray(1), Uint8Array.of(...last, 0), new Uint8Array(0)])
        right.send(other);
      right.send(last);
      right.send(last);
      await answers.received(2 * answer.length);
      await settle();

      expect(answers.chunks).toEqual([answer, answer]);
      expect(heard.log).toEqual([]);
    });

    it('that is retired has sent what it was given before, and can do nothing else', async () => {
      const [left, right] = await connect();
      left.claim();
      const [heard, arrived] = [probe(left), probe(right)];
      left.send(Uint8Array.of(1));
      left.retire(pattern(40, 1), pattern(15, 2));
      left.retire(pattern(40, 3), pattern(15, 4));
      left.send(Uint8Array.of(2));
      const late = probe(left);
      right.send(pattern(40, 3));
      right.send(Uint8Array.of(3));
      await arrived.received(1);
      await settle();

      expect(arrived.chunks).toEqual([Uint8Array.of(1)]);
      expect([heard.log, late.log]).toEqual([[], []]);
    });
  });
}

/**
 * What every way to reach a server by datagrams has to do on a network without faults; `newPlace` makes a place of its own, or a
 * second one at an address, all of them on one network.
 */
export function datagramContract(newPlace: (address?: string) => DatagramPlace): void {
  const sockets: DatagramSocket[] = [];
  const transports: DatagramTransport[] = [];

  async function bind({ listener }: DatagramPlace): Promise<Bound> {
    const heard = new Probe();
    const peers: PeerAddress[] = [];
    const socket = await listener.bind((datagram, from) => {
      peers.push(from);
      heard.datagram(datagram);
    });
    sockets.push(socket);
    return { socket, heard, peers };
  }

  async function dial(dialer: DatagramDialer): Promise<DatagramTransport> {
    const transport = await firstValueFrom(dialer.dial());
    transports.push(transport);
    return transport;
  }

  /** Binds and dials. */
  async function meet(place = newPlace()): Promise<Bound & { readonly transport: DatagramTransport }> {
    const bound = await bind(place);
    return { ...bound, transport: await dial(place.dialer(bound.socket.address)) };
  }

  /** Resolves when whatever is under way has had time to arrive: after a round trip elsewhere. */
  async function settle(): Promise<void> {
    const { transport, socket, heard, peers } = await meet();
    const answers = probe(transport);
    transport.send(Uint8Array.of(1));
    await heard.received(1);
    socket.send(Uint8Array.of(2), peers[0]!);
    await answers.received(1);
  }

  afterEach(() => {
    for (const transport of transports.splice(0)) transport.destroy();
    for (const socket of sockets.splice(0)) socket.close();
  });

  datagramTransportContract(async () => {
    const place = newPlace();
    const server = new OnePeerServer();
    const address = await server.bind(place.listener);
    const dialed = await firstValueFrom(place.dialer(address).dial());
    dialed.send(Uint8Array.of(0));
    await server.met();
    return [dialed, server];
  });

  describe('dialing', () => {
    it('gives one transport for each subscription and completes', async () => {
      const place = newPlace();
      const { socket } = await bind(place);
      const events: string[] = [];
      await new Promise<void>((resolve) => {
        place
          .dialer(socket.address)
          .dial()
          .subscribe({
            next: (transport) => {
              events.push('next');
              transports.push(transport);
            },
            complete: () => {
              events.push('complete');
              resolve();
            },
          });
      });

      expect(events).toEqual(['next', 'complete']);
    });

    it('sends nothing by itself', async () => {
      const { heard } = await meet();
      await settle();

      expect(heard.log).toEqual([]);
    });

    it('that is unsubscribed from at once gives nothing', async () => {
      const place = newPlace();
      const { socket } = await bind(place);
      const events: string[] = [];
      const attempt = place
        .dialer(socket.address)
        .dial()
        .subscribe({
          next: () => events.push('next'),
          error: () => events.push('error'),
          complete: () => events.push('complete'),
        });
      attempt.unsubscribe();
      await settle();

      expect(events).toEqual([]);
    });

    it('takes another port for each subscription, and the address of the server as it bound it', async () => {
      const place = newPlace();
      const { socket, heard, peers } = await bind(place);
      const dialer = place.dialer(socket.address);
      const [a, b] = [await dial(dialer), await dial(dialer)];
      a.send(Uint8Array.of(1));
      b.send(Uint8Array.of(2));
      await heard.received(2);

      expect([a.remoteAddress, b.remoteAddress]).toEqual([socket.address, socket.address]);
      expect(peers[0]!.address).not.toBe('');
      expect(peers[0]!.port).toBeGreaterThan(0);
      expect(peers[0]!.port).not.toBe(peers[1]!.port);
    });

    it('a server that is not there yet works as soon as it is', async () => {
      const place = newPlace();
      const { socket } = await bind(place);
      socket.close();
      const transport = await dial(place.dialer(socket.address));
      const answers = probe(transport);
      transport.send(Uint8Array.of(1));
      await settle();
      transport.send(Uint8Array.of(2));
      await settle();
      const { heard, peers, socket: later } = await bind(newPlace(socket.address));
      transport.send(Uint8Array.of(3));
      await heard.received(1);
      later.send(Uint8Array.of(4), peers[0]!);
      await answers.received(1);

      expect(heard.bytes).toEqual(Uint8Array.of(3));
      expect(answers.log).toEqual(['data']);
    });

    it('gives a transport that hears nobody but its server', async () => {
      const { transport, socket, heard, peers } = await meet();
      const answers = probe(transport);
      transport.send(Uint8Array.of(1));
      await heard.received(1);
      const foreigner = await bind(newPlace());
      foreigner.socket.send(Uint8Array.of(2), peers[0]!);
      await settle();
      socket.send(Uint8Array.of(3), peers[0]!);
      await answers.received(1);

      expect(answers.bytes).toEqual(Uint8Array.of(3));
    });
  });

  describe('a bound socket', () => {
    it('tells many peers apart by address and port, and answers each of them', async () => {
      const place = newPlace();
      const { socket, heard, peers } = await bind(place);
      const dialer = place.dialer(socket.address);
      const clients = await Promise.all(Array.from({ length: 20 }, () => dial(dialer)));
      const answers = clients.map((client) => probe(client));
      for (const [n, client] of clients.entries()) client.send(Uint8Array.of(n));
      await heard.received(clients.length);
      for (const [n, datagram] of heard.chunks.entries()) socket.send(datagram, peers[n]!);
      await Promise.all(answers.map((answer) => answer.received(1)));

      expect(answers.map(({ bytes }) => bytes)).toEqual(clients.map((_, n) => Uint8Array.of(n)));
      expect(new Set(peers.map(({ address, port }) => `${address} ${port}`)).size).toBe(clients.length);
    });

    it('receives arrays that are plain and its own to keep', async () => {
      const { transport, heard } = await meet();
      for (let n = 0; n < 20; n++) transport.send(pattern(492, n));
      await heard.received(20 * 492);

      expect(heard.chunks).toEqual(Array.from({ length: 20 }, (_, n) => pattern(492, n)));
      expect(heard.chunks.filter(({ constructor }) => constructor !== Uint8Array)).toEqual([]);
    });

    it('receives nothing within the call that sends', async () => {
      const { transport, socket, heard, peers } = await meet();
      const answers = probe(transport);
      transport.send(Uint8Array.of(1));
      expect(heard.log).toEqual([]);

      await heard.received(1);
      socket.send(Uint8Array.of(2), peers[0]!);
      expect(answers.log).toEqual([]);
    });

    it('that is closed receives nothing more, and may be used and closed again without effect', async () => {
      const { transport, socket, heard, peers } = await meet();
      const answers = probe(transport);
      transport.send(Uint8Array.of(1));
      await heard.received(1);
      transport.send(Uint8Array.of(2));
      socket.close();
      socket.close();
      socket.send(Uint8Array.of(3), peers[0]!);
      await settle();
      transport.send(Uint8Array.of(4));
      await settle();

      expect(heard.bytes).toEqual(Uint8Array.of(1));
      expect(answers.log).toEqual([]);
    });

    it('that is closed by its receiver receives nothing more', async () => {
      const { transport, socket, heard } = await meet();
      heard.onData = () => socket.close();
      for (let n = 0; n < 20; n++) transport.send(Uint8Array.of(n));
      await heard.received(1);
      await settle();

      expect(heard.length).toBe(1);
    });
  });

  describe('binding', () => {
    it('where somebody has bound already is rejected with ConfigError CONFIG_ADDRESS', async () => {
      const { transport, socket, heard } = await meet();
      const error = await bind(newPlace(socket.address)).catch((cause: unknown) => cause);
      transport.send(Uint8Array.of(1));
      await heard.received(1);

      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ code: 'CONFIG_ADDRESS' });
    });

    it('is possible again after closing', async () => {
      const place = newPlace();
      const { socket } = await bind(place);
      socket.close();
      const again = await meet(place);
      again.transport.send(Uint8Array.of(1));
      await again.heard.received(1);

      expect(again.heard.bytes).toEqual(Uint8Array.of(1));
    });
  });
}

/** A bound socket as the other end of a dialed transport: it answers whoever came first. */
class OnePeerServer implements FarEnd {
  readonly kind = 'udp';
  readonly #first = new Probe();
  #socket: DatagramSocket | undefined;
  #peer: PeerAddress | undefined;
  #sink: DatagramSink = this.#first;

  async bind(listener: DatagramListener): Promise<string> {
    this.#socket = await listener.bind((datagram, from) => {
      this.#peer ??= from;
      this.#sink.datagram(datagram);
    });
    return this.#socket.address;
  }

  /** Resolves when the first datagram has come. */
  met(): Promise<void> {
    return this.#first.received(1);
  }

  get remoteAddress(): string {
    return `${this.#peer!.address}:${this.#peer!.port}`;
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  send(datagram: Uint8Array): void {
    this.#socket!.send(datagram, this.#peer!);
  }

  destroy(): void {
    this.#socket!.close();
  }
}
