import { Observable, Subject, type Subscriber, type Subscription } from 'rxjs';
import { copyBytes } from '../protocol/bytes.js';
import { ConfigError } from '../protocol/index.js';
import {
  formatPeerAddress,
  type DatagramDialer,
  type DatagramListener,
  type DatagramReceiver,
  type DatagramSocket,
  type DatagramTransport,
  type PeerAddress,
} from '../transport/datagram.js';
import { DatagramNetworkClient } from './datagram-network-client.js';
import { FaultyPath, type BadPath, type Direction, type PathOptions } from './faulty-path.js';

/** A datagram as it was sent, before any fault. */
export interface SentDatagram {
  readonly direction: Direction;
  /** Must not be modified. */
  readonly datagram: Uint8Array;
  readonly from: PeerAddress;
  readonly to: PeerAddress;
}

export interface DatagramDialerOptions {
  /** The host part of the address that servers see; by default each dialer is a host of its own. */
  readonly host?: string;
}

/** A network of datagrams without sockets, on a scheduler: names instead of addresses, and faults that follow from a seed. */
export interface DatagramNetwork extends BadPath {
  /** Binds `name:1`. `bind` rejects with ConfigError `CONFIG_ADDRESS` while another socket has it. */
  listener(name: string): DatagramListener;
  /** Reaches whoever has bound `name` when a datagram arrives. Each dial is a new port: a server sees `host:1`, `host:2`, … */
  dialer(name: string, options?: DatagramDialerOptions): DatagramDialer;
  /** Each datagram that a client or a server sends, within the call that sends it; hot, never completes or fails. */
  readonly sent$: Observable<SentDatagram>;
  /** Moves clients to new ports, as a NAT does that forgot them: the one with this `host:port`, or all of a `host`. */
  rebind(client: string): void;
  /**
   * What an outsider can do: a datagram with any bytes and any source address arrives at a server or a client. It meets no
   * faults, is not counted, does not show in `sent$`, and still does not arrive within the call.
   */
  inject(datagram: Uint8Array, addresses: { readonly from: PeerAddress; readonly to: PeerAddress }): void;
}

/**
 * A network holds no resources and needs no closing. A datagram to an address that nobody has when it arrives is lost.
 * @throws ConfigError `CONFIG_OPTION` that names the field of the conditions
 */
export function datagramNetwork(options: PathOptions = {}): DatagramNetwork {
  return new Network(options);
}

const SERVER_PORT = 1;

class Network extends FaultyPath implements DatagramNetwork {
  readonly #sent$ = new Subject<SentDatagram>();
  readonly sent$ = this.#sent$.asObservable();
  /** Who has which `address:port`. */
  readonly #receivers = new Map<string, DatagramReceiver>();
  readonly #clients = new Set<DatagramNetworkClient>();
  readonly #lastPorts = new Map<string, number>();
  #hosts = 0;

  listener(name: string): DatagramListener {
    const bind = (receive: DatagramReceiver): DatagramSocket => {
      const from = { address: name, port: SERVER_PORT };
      const address = formatPeerAddress(from);
      if (this.#receivers.has(address))
        throw new ConfigError('CONFIG_ADDRESS', `${address}: somebody is bound already`);
      this.#receivers.set(address, receive);
      let isOpen = true;
      return {
        address,
        send: (datagram, to) => {
          if (isOpen) this.#send('toClient', datagram, from, to);
        },
        close: () => {
          if (isOpen) this.#receivers.delete(address);
          isOpen = false;
        },
      };
    };
    return { kind: 'udp', bind: (receive) => new Promise((resolve) => resolve(bind(receive))) };
  }

  dialer(name: string, { host = `client-${++this.#hosts}` }: DatagramDialerOptions = {}): DatagramDialer {
    return {
      kind: 'udp',
      dial: () => new Observable<DatagramTransport>((subscriber) => this.#dial(name, host, subscriber)),
    };
  }

  rebind(client: string): void {
    for (const one of this.#clients) {
      const address = formatPeerAddress(one.address);
      if (address !== client && one.address.address !== client) continue;
      this.#receivers.delete(address);
      one.address = this.#freeAddress(one.address.address);
      this.#receivers.set(formatPeerAddress(one.address), one.receive);
    }
  }

  inject(datagram: Uint8Array, { from, to }: { readonly from: PeerAddress; readonly to: PeerAddress }): void {
    const copy = copyBytes(datagram, 0);
    this.scheduler.schedule(() => this.#deliver(copy, from, to));
  }

  #dial(name: string, host: string, subscriber: Subscriber<DatagramTransport>): Subscription {
    return this.scheduler.schedule(() => {
      const to = { address: name, port: SERVER_PORT };
      const client = new DatagramNetworkClient(this.#freeAddress(host), to, {
        scheduler: this.scheduler,
        send: (datagram) => this.#send('toServer', datagram, client.address, to),
        leave: () => {
          this.#clients.delete(client);
          this.#receivers.delete(formatPeerAddress(client.address));
        },
      });
      this.#clients.add(client);
      this.#receivers.set(formatPeerAddress(client.address), client.receive);
      subscriber.next(client);
      subscriber.complete();
    });
  }

  #freeAddress(host: string): PeerAddress {
    const port = (this.#lastPorts.get(host) ?? 0) + 1;
    this.#lastPorts.set(host, port);
    const address = { address: host, port };
    return this.#receivers.has(formatPeerAddress(address)) ? this.#freeAddress(host) : address;
  }

  #send(direction: Direction, datagram: Uint8Array, from: PeerAddress, to: PeerAddress): void {
    this.#sent$.next({ direction, datagram, from, to });
    this.carry(direction, datagram, (copy) => this.#deliver(copy, from, to));
  }

  #deliver(datagram: Uint8Array, from: PeerAddress, to: PeerAddress): void {
    this.#receivers.get(formatPeerAddress(to))?.(datagram, from);
  }
}
