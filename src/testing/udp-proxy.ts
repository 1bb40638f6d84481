import {
  formatPeerAddress,
  type DatagramListener,
  type DatagramSocket,
  type PeerAddress,
} from '../transport/datagram.js';
import { FaultyPath, type BadPath, type PathOptions } from './faulty-path.js';

/** Each has a socket upstream; beyond, the one that was silent for longest loses its own. */
const MAX_CLIENTS = 256;

export interface UdpProxyOptions extends PathOptions {
  /** Where clients send to, such as `udpListener({ port: 0 })` of `usmp-rx/node`. */
  readonly listener: DatagramListener;
  /** The server. */
  readonly target: PeerAddress;
  /** Makes the socket of one client towards the server, which so tells clients apart: `() => udpListener({ port: 0 })`. */
  readonly upstream: () => DatagramListener;
}

/** The faults of a bad network between real sockets. What follows from the seed is which of the datagrams meets which fault. */
export interface UdpProxy extends BadPath {
  /** Where clients send to, `host:port`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Closes all sockets; what is under way is lost. */
  close(): void;
}

/** Rejects with ConfigError: `CONFIG_OPTION` that names the field of the conditions, or what the listener rejects with. */
export async function udpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const proxy = new Relay(options);
  await proxy.open();
  return proxy;
}

class Relay extends FaultyPath implements UdpProxy {
  readonly #options: UdpProxyOptions;
  /** By the clients' `address:port`; who was silent for longest comes first. */
  readonly #upstreams = new Map<string, Promise<DatagramSocket>>();
  #socket: DatagramSocket | undefined;

  constructor(options: UdpProxyOptions) {
    super(options);
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#socket = await this.#options.listener.bind((datagram, client) => this.#toServer(datagram, client));
  }

  get address(): string {
    return this.#socket!.address;
  }

  get host(): string {
    return this.address.slice(0, this.address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  }

  get port(): number {
    return Number(this.address.slice(this.address.lastIndexOf(':') + 1));
  }

  close(): void {
    this.#socket?.close();
    for (const client of this.#upstreams.keys()) this.#forget(client);
  }

  #toServer(datagram: Uint8Array, client: PeerAddress): void {
    const upstream = this.#upstreamOf(client);
    this.carry('toServer', datagram, (copy) => {
      // Without a socket for its client it is lost.
      upstream.then(
        (socket) => socket.send(copy, this.#options.target),
        () => {},
      );
    });
  }

  #upstreamOf(client: PeerAddress): Promise<DatagramSocket> {
    const address = formatPeerAddress(client);
    const upstream = this.#upstreams.get(address) ?? this.#bindUpstream(client, address);
    this.#upstreams.delete(address);
    this.#upstreams.set(address, upstream);
    const [longestSilent] = this.#upstreams.keys();
    if (this.#upstreams.size > MAX_CLIENTS) this.#forget(longestSilent!);
    return upstream;
  }

  #bindUpstream(client: PeerAddress, address: string): Promise<DatagramSocket> {
    const upstream = this.#options
      .upstream()
      .bind((datagram) => this.carry('toClient', datagram, (copy) => this.#socket?.send(copy, client)));
    upstream.catch(() => {
      if (this.#upstreams.get(address) === upstream) this.#upstreams.delete(address);
    });
    return upstream;
  }

  #forget(address: string): void {
    const upstream = this.#upstreams.get(address);
    this.#upstreams.delete(address);
    upstream?.then(
      (socket) => socket.close(),
      () => {},
    );
  }
}
