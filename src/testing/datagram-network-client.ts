import type { SchedulerLike } from 'rxjs';
import { sameBytes } from '../protocol/bytes.js';
import {
  formatPeerAddress,
  RETIRED_MS,
  type DatagramReceiver,
  type DatagramSink,
  type DatagramTransport,
  type PeerAddress,
} from '../transport/datagram.js';

/** What a client needs of its network. */
export interface ClientPort {
  readonly scheduler: SchedulerLike;
  readonly send: (datagram: Uint8Array) => void;
  /** Nobody is at the port any more. */
  readonly leave: () => void;
}

/** A client's end. Like a connected socket it hears nobody but its server. */
export class DatagramNetworkClient implements DatagramTransport {
  readonly kind = 'udp';
  readonly remoteAddress: string;
  /** What its server sees. */
  address: PeerAddress;
  readonly #port: ClientPort;
  #sink: DatagramSink | undefined;
  #isClosed = false;

  constructor(address: PeerAddress, server: PeerAddress, port: ClientPort) {
    this.address = address;
    this.remoteAddress = formatPeerAddress(server);
    this.#port = port;
  }

  readonly receive: DatagramReceiver = (datagram, from) => {
    if (formatPeerAddress(from) === this.remoteAddress) this.#sink?.datagram(datagram);
  };

  attach(sink: DatagramSink): void {
    if (!this.#isClosed) this.#sink = sink;
  }

  send(datagram: Uint8Array): void {
    if (!this.#isClosed) this.#port.send(datagram);
  }

  claim(): void {
    // Nobody else can have the address that was dialed.
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sink = undefined;
    this.#port.leave();
  }

  retire(last: Uint8Array, answer: Uint8Array): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { scheduler, send, leave } = this.#port;
    const untilMs = scheduler.now() + RETIRED_MS;
    const datagram = (repeated: Uint8Array): void => {
      // Without a timer of its own, which would keep a marble test, or a program in real time, waiting for it.
      if (scheduler.now() >= untilMs) leave();
      else if (sameBytes(repeated, last)) send(answer);
    };
    this.#sink = { datagram, end() {} };
  }
}
