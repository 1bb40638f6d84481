import type { SchedulerLike } from 'rxjs';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { isAcknowledgement } from '../protocol/datagram/acknowledgement.js';
import { PacketType } from '../protocol/packet-type.js';
import { sameBytes } from '../protocol/bytes.js';
import { decodeDatagram } from '../session/datagram/decode-datagram.js';
import {
  formatPeerAddress,
  type DatagramListener,
  type DatagramSocket,
  type DatagramTransport,
  type PeerAddress,
} from '../transport/datagram.js';
import { CookieGate } from './cookie-gate.js';
import { RoutedTransport, type Route } from './routed-transport.js';
import { RetiredPeers } from './retired-peers.js';

/** Why a datagram that belongs to no session and to no handshake was dropped. */
export type StrayDrop =
  /** No frame, or a HELLO of a wrong length. */
  | 'malformed'
  /** No HELLO, and from an address without a session or a handshake. */
  | 'unknown-peer'
  /** A HELLO with a wrong cookie, or one that is too old. */
  | 'cookie'
  /** A HELLO beyond what one address may send in a second. */
  | 'rate-limit';

interface RouterOptions {
  readonly listener: DatagramListener;
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  /** HELLO_RETRYs that one address gets in a second. */
  readonly retriesPerSecond: number;
  readonly onDropped: (reason: StrayDrop, from: PeerAddress) => void;
}

/** Bytes 2 of an acknowledgement and 3 of a frame tell the packet type. */
const ACKNOWLEDGED_TYPE_AT = 2;
const FRAME_TYPE_AT = 3;

/**
 * Finds whom a datagram is for by the address and port that it comes from (protocol.md section 7), and keeps nothing of who has
 * not proved that it receives there. An address may have a session and, beside it, a handshake that will replace it.
 */
export class DatagramRouter {
  readonly #options: RouterOptions;
  readonly #gate: CookieGate;
  readonly #routes = new Map<string, Route>();
  readonly #retired: RetiredPeers;
  #socket: DatagramSocket | undefined;
  #accept: ((transport: DatagramTransport) => void) | undefined;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#gate = new CookieGate(options.crypto, options.retriesPerSecond);
    this.#retired = new RetiredPeers(options.scheduler);
  }

  /** Part of what a server listens with: starts to accept; resolves with the bound address. */
  async listen(accept: (transport: DatagramTransport) => void): Promise<string> {
    const socket = await this.#options.listener.bind((datagram, from) => this.#receive(datagram, from));
    this.#socket = socket;
    this.#accept = accept;
    return socket.address;
  }

  /** Accepts nothing more; the socket closes when the last transport that was accepted does. */
  close(): Promise<void> {
    this.#accept = undefined;
    this.#closeIfUnused();
    return Promise.resolve();
  }

  #receive(datagram: Uint8Array, from: PeerAddress): void {
    const key = formatPeerAddress(from);
    const route = this.#routes.get(key);
    if (isAcknowledgement(datagram)) return this.#receiveAcknowledgement(datagram, from, route);
    const type = datagram[FRAME_TYPE_AT];
    if (type === PacketType.HELLO) return this.#receiveHello(datagram, from, key, route);
    const isOfHandshake = isHandshakeType(type) || type === PacketType.ERROR;
    const transport = isOfHandshake ? (route?.candidate ?? route?.live) : route?.live;
    if (transport) return transport.deliver(datagram);
    const answer = this.#retired.answerTo(key, datagram);
    if (answer) this.#socket?.send(answer, from);
    else this.#drop('unknown-peer', from);
  }

  /** One of a handshake frame is for whoever waits for it. */
  #receiveAcknowledgement(datagram: Uint8Array, from: PeerAddress, route: Route | undefined): void {
    const candidate = isHandshakeType(datagram[ACKNOWLEDGED_TYPE_AT]) ? route?.candidate : undefined;
    if (!candidate && !route?.live) return this.#drop('unknown-peer', from);
    candidate?.deliver(datagram);
    route?.live?.deliver(datagram);
  }

  /** A session that the address has is not disturbed: only the one who opened it is told of its own HELLO again. */
  #receiveHello(datagram: Uint8Array, from: PeerAddress, key: string, route: Route | undefined): void {
    const opened = [route?.candidate, route?.live].find((one) => one && sameBytes(one.hello, datagram));
    if (opened) return opened.deliver(datagram);
    const frame = decodeDatagram(datagram);
    if (!frame) return this.#drop('malformed', from);
    const accept = this.#accept;
    if (!accept) return;
    const judged = this.#gate.judge(frame, from, this.#options.scheduler.now());
    if (judged.verdict === 'ignored') return this.#drop(judged.reason, from);
    if (judged.verdict === 'challenged') {
      for (const reply of judged.replies) this.#socket?.send(reply, from);
      return;
    }
    this.#open(accept, datagram, from, key);
  }

  #open(accept: (transport: DatagramTransport) => void, hello: Uint8Array, from: PeerAddress, key: string): void {
    const route = this.#routes.get(key) ?? {};
    const transport = new RoutedTransport(route, {
      hello,
      remoteAddress: key,
      send: (reply) => this.#socket?.send(reply, from),
      onEmpty: () => this.#forget(key),
      onRetired: (last, answer) => this.#retired.add(key, last, answer),
    });
    accept(transport);
    if (transport.isClosed) return;
    this.#routes.set(key, route);
    // Whoever is at this address now has given up the handshake that it had begun.
    transport.compete();
    transport.deliver(hello);
  }

  #forget(key: string): void {
    this.#routes.delete(key);
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#accept === undefined && this.#routes.size === 0) this.#socket?.close();
  }

  #drop(reason: StrayDrop, from: PeerAddress): void {
    this.#options.onDropped(reason, from);
  }
}

const isHandshakeType = (type: number | undefined): boolean =>
  type !== undefined && type >= PacketType.HELLO && type <= PacketType.SESSION_OK;
