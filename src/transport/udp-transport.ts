import type { Socket } from 'node:dgram';
import { setTimeout } from 'node:timers';
import { sameBytes } from '../protocol/bytes.js';
import {
  formatPeerAddress,
  RETIRED_MS,
  type DatagramSink,
  type DatagramTransport,
  type PeerAddress,
} from './datagram.js';
import { closeSocket, ignore, plainBytes } from './udp-socket.js';

/**
 * A connected socket. It is told when the peer's host or a router says that a datagram could not be delivered (ICMP). That is of no
 * consequence: anybody can forge it, and the server may come later.
 */
export class UdpTransport implements DatagramTransport {
  readonly kind = 'udp';
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #sink: DatagramSink | undefined;
  #isClosed = false;

  constructor(socket: Socket) {
    const peer = socket.remoteAddress();
    this.#socket = socket;
    this.remoteAddress = formatPeerAddress(peer);
    socket.on('error', ignore);
    socket.on('close', () => this.#sink?.end(new Error('the socket was closed')));
    socket.on('message', (message, from) => {
      // What came between binding and connecting may be anybody's.
      if (isFrom(peer, from)) this.#sink?.datagram(plainBytes(message));
    });
  }

  attach(sink: DatagramSink): void {
    if (!this.#isClosed) this.#sink = sink;
  }

  send(datagram: Uint8Array): void {
    if (!this.#isClosed) this.#send(datagram);
  }

  claim(): void {
    // Nobody else can have the address that was dialed.
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sink = undefined;
    // After a second attempt at what was sent last.
    process.nextTick(closeSocket, this.#socket);
  }

  retire(last: Uint8Array, answer: Uint8Array): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const datagram = (repeated: Uint8Array): void => {
      if (sameBytes(repeated, last)) this.#send(answer);
    };
    this.#sink = { datagram, end: ignore };
    // The program may exit meanwhile. A real socket has no virtual time.
    this.#socket.unref();
    setTimeout(closeSocket, RETIRED_MS, this.#socket).unref();
  }

  /** A call may fail, and send nothing, to report what an earlier datagram met: then there is a second one. */
  #send(datagram: Uint8Array): void {
    this.#trySend(datagram, () => this.#trySend(datagram, ignore));
  }

  #trySend(datagram: Uint8Array, onFailure: () => void): void {
    try {
      this.#socket.send(datagram, (failure) => {
        if (failure) onFailure();
      });
    } catch {
      // The socket is closed.
    }
  }
}

const isFrom = (peer: PeerAddress, { address, port }: PeerAddress): boolean =>
  port === peer.port && address === peer.address;
