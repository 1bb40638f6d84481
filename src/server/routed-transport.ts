import type { DatagramSink, DatagramTransport } from '../transport/datagram.js';

/** Who is at an address. */
export interface Route {
  /** It has proved who it is. */
  live?: RoutedTransport | undefined;
  /** It is about to. */
  candidate?: RoutedTransport | undefined;
}

interface RoutedOptions {
  /** The HELLO with its cookie, 66 bytes, that opened the handshake. */
  readonly hello: Uint8Array;
  readonly remoteAddress: string;
  readonly send: (datagram: Uint8Array) => void;
  /** Nobody is at the address any more. */
  readonly onEmpty: () => void;
  readonly onRetired: (last: Uint8Array, answer: Uint8Array) => void;
}

/** A server's transport to one peer, over the socket that it shares with all others. */
export class RoutedTransport implements DatagramTransport {
  readonly kind = 'udp';
  readonly remoteAddress: string;
  readonly hello: Uint8Array;
  readonly #route: Route;
  readonly #options: RoutedOptions;
  #sink: DatagramSink | undefined;
  #closed = false;

  constructor(route: Route, options: RoutedOptions) {
    this.hello = options.hello;
    this.remoteAddress = options.remoteAddress;
    this.#options = options;
    this.#route = route;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Takes the place of the route's candidate. */
  compete(): void {
    const { candidate } = this.#route;
    this.#route.candidate = this;
    candidate?.end(new Error('the peer began another handshake'));
  }

  attach(sink: DatagramSink): void {
    if (!this.#closed) this.#sink = sink;
  }

  send(datagram: Uint8Array): void {
    if (!this.#closed) this.#options.send(datagram);
  }

  claim(): void {
    if (this.#closed) return;
    const { live } = this.#route;
    this.#route.live = this;
    this.#route.candidate = undefined;
    live?.end(new Error('a new session was authenticated from the same address'));
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sink = undefined;
    const { live, candidate } = this.#route;
    if (live !== this && candidate !== this) return;
    if (live === this) this.#route.live = undefined;
    else this.#route.candidate = undefined;
    if (!this.#route.live && !this.#route.candidate) this.#options.onEmpty();
  }

  retire(last: Uint8Array, answer: Uint8Array): void {
    if (this.#closed) return;
    if (this.#route.live === this) this.#options.onRetired(last, answer);
    this.destroy();
  }

  /** A datagram came for it. */
  deliver(datagram: Uint8Array): void {
    this.#sink?.datagram(datagram);
  }

  /** Another one has its address. */
  end(cause: unknown): void {
    const sink = this.#sink;
    this.destroy();
    sink?.end(cause);
  }
}
