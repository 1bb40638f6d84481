import type { Observable } from 'rxjs';

/** Where a datagram comes from or goes to. */
export interface PeerAddress {
  /** An IP address, or what a network in memory has instead. */
  readonly address: string;
  readonly port: number;
}

/** `address:port`, with an IPv6 address in brackets. */
export const formatPeerAddress = ({ address, port }: PeerAddress): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** Takes each datagram that comes, also an empty one; must not throw. The array is the receiver's to keep. */
export type DatagramReceiver = (datagram: Uint8Array, from: PeerAddress) => void;

/** A bound socket: datagrams from many peers, and to them. */
export interface DatagramSocket {
  /** Its own address, `address:port`. */
  readonly address: string;
  /** Sends one datagram, which must not be modified after. Never throws: what can't be sent is lost, as on the way. */
  send(datagram: Uint8Array, to: PeerAddress): void;
  /** Nothing is sent or received after; what was sent before still leaves. */
  close(): void;
}

/** Where a server is reached by datagrams. */
export interface DatagramListener {
  readonly kind: 'udp';
  /** Each call binds a socket; rejects with ConfigError `CONFIG_ADDRESS` where that can't be had. */
  bind(receive: DatagramReceiver): Promise<DatagramSocket>;
}

/** What a datagram transport tells its user. None of the functions may throw. */
export interface DatagramSink {
  /** One datagram, possibly empty. The array is the sink's to keep and must not be modified. */
  datagram(datagram: Uint8Array): void;
  /** The end, once and last: nothing can come any more, and `cause` says why. Nobody outside can cause it. */
  end(cause: unknown): void;
}

/** Datagrams to and from one peer: each arrives whole, or not at all, or more than once, in any order. */
export interface DatagramTransport {
  readonly kind: 'udp';
  /** `address:port` of the peer. */
  readonly remoteAddress: string;
  /** Delivers to `sink` from now on, instead of to the one before; what comes before the first is lost. */
  attach(sink: DatagramSink): void;
  /** Sends one datagram, which must not be modified after. Never throws; without effect after `destroy` or the end. */
  send(datagram: Uint8Array): void;
  /** The peer has proved who it is: its address is this transport's, and another one that had it until now ends. */
  claim(): void;
  /** Closes at once; nothing more is delivered, `end` of the sink included. What was sent before still leaves. */
  destroy(): void;
  /**
   * The same, but for `RETIRED_MS`, and as long as nobody else claims the address, each repetition of `last` is answered with
   * `answer`: the peer repeats what it believes lost.
   */
  retire(last: Uint8Array, answer: Uint8Array): void;
}

/** How long a retired transport answers: longer than a peer waits between two of its five attempts. */
export const RETIRED_MS = 10_000;

/** How a client reaches its server by datagrams. */
export interface DatagramDialer {
  readonly kind: 'udp';
  /**
   * Each subscription takes a port of its own, emits the transport and completes; nothing is sent, so that a server that is not
   * there shows only in the handshake. Errors with ConnectionClosedError `CONNECT_FAILED` where the host has no address.
   * Unsubscribing before cancels the attempt; the emitted transport belongs to the subscriber.
   */
  dial(): Observable<DatagramTransport>;
}
