import { of, Subject, type Observable } from 'rxjs';
import { nobleCrypto } from '../crypto/noble.js';
import {
  concatBytes,
  COOKIE_BYTES,
  decodeFrame,
  encodeFrame,
  PacketType,
  parsePsk,
  toHex,
  utf8,
  type CryptoProvider,
  type Frame,
  type PskInput,
  type Secret,
} from '../protocol/index.js';
import { encodeAcknowledgement } from '../protocol/datagram/acknowledgement.js';
import {
  formatPeerAddress,
  type DatagramListener,
  type DatagramSink,
  type DatagramSocket,
  type DatagramTransport,
  type PeerAddress,
} from '../transport/datagram.js';
import { DatagramServerHandshake, helloOf } from './datagram-peer-handshake.js';
import { SimulatedDatagramPeer, type SimulatedDatagramPeerOptions } from './simulated-datagram-peer.js';

export interface SimulatedDatagramGatewayOptions extends SimulatedDatagramPeerOptions {
  readonly listener: DatagramListener;
  /** Of every device. */
  readonly psk: PskInput;
  /** Whether it answers a plain HELLO with HELLO_RETRY, or at once with CHALLENGE. The default is true. */
  readonly asksForCookie?: boolean;
}

const HELLO_BYTES = 50;
/** A test may know it: these cookies defend nothing. */
const COOKIE_SECRET = utf8('simulated gateway');

/** A server on UDP to test a client against: each handshake that is begun is a simulated peer of its own. */
export class SimulatedDatagramGateway {
  /** Peers, from the moment that their address is proven. Hot; never errors, never completes. */
  readonly peers$: Observable<SimulatedDatagramPeer>;
  readonly #peers$ = new Subject<SimulatedDatagramPeer>();
  readonly #options: SimulatedDatagramGatewayOptions;
  readonly #crypto: CryptoProvider;
  readonly #psk: Secret;
  readonly #accepted = new Map<string, AcceptedPeer>();
  #socket: DatagramSocket | undefined;
  #latest: SimulatedDatagramPeer | undefined;

  /** @throws ConfigError for a PSK that can't be one */
  constructor(options: SimulatedDatagramGatewayOptions) {
    this.#options = options;
    this.#crypto = options.crypto ?? nobleCrypto;
    this.#psk = parsePsk(options.psk);
    this.peers$ = this.#peers$.asObservable();
  }

  /** The peer that was accepted last. */
  get latest(): SimulatedDatagramPeer | undefined {
    return this.#latest;
  }

  /** Binds; resolves with the address. */
  async listen(): Promise<string> {
    this.#socket = await this.#options.listener.bind((datagram, from) => this.#receive(datagram, from));
    return this.#socket.address;
  }

  /** Cuts all peers and frees the address. */
  close(): Promise<void> {
    for (const peer of [...this.#accepted.values()]) peer.cut();
    this.#socket?.close();
    return Promise.resolve();
  }

  #receive(datagram: Uint8Array, from: PeerAddress): void {
    const accepted = this.#accepted.get(formatPeerAddress(from));
    const hello = asHello(datagram);
    if (!hello) accepted?.receive(datagram);
    else if (datagram.length === HELLO_BYTES && this.#options.asksForCookie !== false) this.#answer(hello, from);
    else if (!this.#isProven(hello, from)) return;
    else if (accepted?.isFor(hello)) accepted.receive(datagram);
    else this.#accept(hello, from);
  }

  /** Keeps nothing. */
  #answer(hello: Frame, from: PeerAddress): void {
    this.#send(encodeAcknowledgement(hello.type, hello.seq), from);
    this.#send(encodeFrame(PacketType.HELLO_RETRY, 0, this.#cookieFor(hello, from)), from);
  }

  #isProven(hello: Frame, from: PeerAddress): boolean {
    const { cookie } = helloOf(hello);
    return this.#options.asksForCookie === false || this.#crypto.equal(cookie, this.#cookieFor(hello, from));
  }

  #cookieFor(hello: Frame, from: PeerAddress): Uint8Array {
    const { deviceId, clientPublicKey } = helloOf(hello);
    const bound = concatBytes(deviceId, clientPublicKey, utf8(formatPeerAddress(from)));
    return this.#crypto.hmacSha256(COOKIE_SECRET, bound).subarray(0, COOKIE_BYTES);
  }

  #accept(hello: Frame, from: PeerAddress): void {
    const address = formatPeerAddress(from);
    this.#accepted.get(address)?.cut();
    const peer: AcceptedPeer = new AcceptedPeer(this.#options, hello, {
      remoteAddress: address,
      send: (datagram) => this.#send(datagram, from),
      destroy: () => this.#accepted.delete(address),
    });
    this.#accepted.set(address, peer);
    this.#latest = peer;
    this.#peers$.next(peer);
    this.#send(encodeAcknowledgement(hello.type, hello.seq), from);
    peer.accept(this.#psk);
  }

  #send(datagram: Uint8Array, to: PeerAddress): void {
    this.#socket?.send(datagram, to);
  }
}

class AcceptedPeer extends SimulatedDatagramPeer {
  readonly #hello: Frame;
  readonly #transport: DatagramTransport;
  #sink: DatagramSink | undefined;

  constructor(
    options: SimulatedDatagramPeerOptions,
    hello: Frame,
    line: Pick<DatagramTransport, 'remoteAddress' | 'send' | 'destroy'>,
  ) {
    super(options);
    this.#hello = hello;
    this.#transport = {
      ...line,
      kind: 'udp',
      attach: (sink) => {
        this.#sink = sink;
      },
      claim() {},
      retire: line.destroy,
    };
  }

  /** Whether a HELLO is another copy of the one that it was accepted for; a device that starts anew has another key. */
  isFor(hello: Frame): boolean {
    return toHex(helloOf(hello).clientPublicKey) === toHex(helloOf(this.#hello).clientPublicKey);
  }

  accept(psk: Secret): void {
    void this.attempt(of(this.#transport), (link) => new DatagramServerHandshake(link, this.#hello, psk));
  }

  receive(datagram: Uint8Array): void {
    this.#sink?.datagram(datagram);
  }
}

function asHello(datagram: Uint8Array): Frame | undefined {
  if (datagram.length !== HELLO_BYTES && datagram.length !== HELLO_BYTES + COOKIE_BYTES) return undefined;
  try {
    const frame = decodeFrame(datagram);
    return frame.type === PacketType.HELLO ? frame : undefined;
  } catch {
    return undefined;
  }
}
