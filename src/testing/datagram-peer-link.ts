import type { SchedulerLike } from 'rxjs';
import {
  ConnectionClosedError,
  decodeFrame,
  HEADER_BYTES,
  isSealedType,
  PacketType,
  type CipherSuite,
  type CryptoProvider,
  type EstablishedSession,
  type Frame,
  type OpenedFrame,
  type UsmpError,
} from '../protocol/index.js';
import {
  decodeAcknowledgement,
  encodeAcknowledgement,
  isAcknowledgement,
} from '../protocol/datagram/acknowledgement.js';
import type { CloseInfo } from '../session/session.js';
import type { DatagramTransport } from '../transport/datagram.js';
import type { DatagramBehaviour } from './datagram-behaviour.js';
import { DatagramPeerSession } from './datagram-peer-session.js';
import { PeerDelivery, seqOf, typeOf } from './peer-delivery.js';

export interface DatagramPeerSettings {
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly suite: CipherSuite;
  readonly keepaliveMs: number | undefined;
  readonly answersPings: boolean;
  readonly behaviour: DatagramBehaviour;
}

/** What a handshake needs of its link. */
export interface HandshakeLink {
  readonly crypto: CryptoProvider;
  readonly behaviour: DatagramBehaviour;
  /** Repeats a handshake frame until it is acknowledged, or, where that is the behaviour, until it is `answered`. */
  deliver(frame: Uint8Array): void;
  /** The answer to a frame of this type has come. */
  answered(type: PacketType): void;
  /** Session frames are understood from now on, also before `lastFrame` is delivered. */
  established(session: EstablishedSession, lastFrame?: Uint8Array): void;
  failed(error: UsmpError): void;
}

export interface DatagramHandshake {
  begin(): void;
  /** Takes a handshake frame, well-formed and acknowledged; what it has no use for it passes over. */
  take(frame: Frame): void;
}

interface DatagramPeerLinkOptions extends DatagramPeerSettings {
  readonly onDatagram: (datagram: Uint8Array) => void;
  readonly onEstablished: () => void;
  readonly onFrame: (frame: OpenedFrame) => void;
  readonly onMessage: (message: Uint8Array) => void;
  /** The other side ended it, or it was lost. */
  readonly onEnd: (info: CloseInfo) => void;
}

/** The datagrams to and from one other side: a handshake and the session that comes of it. */
export class DatagramPeerLink {
  readonly delivery: PeerDelivery;
  /** Takes nothing in while it is set. */
  isDeaf = false;
  readonly #transport: DatagramTransport;
  readonly #options: DatagramPeerLinkOptions;
  readonly #handshake: DatagramHandshake;
  /** What waits until no frame of our own is outstanding. */
  readonly #waiting: (() => void)[] = [];
  #session: DatagramPeerSession | undefined;

  constructor(
    transport: DatagramTransport,
    options: DatagramPeerLinkOptions,
    handshake: (link: HandshakeLink) => DatagramHandshake,
  ) {
    this.#transport = transport;
    this.#options = options;
    const { scheduler, behaviour } = options;
    this.delivery = new PeerDelivery({
      timer: behaviour.timer,
      scheduler,
      transmit: (frame) => this.transmit(frame),
      onIdle: () => this.#resume(),
      onLost: (error) => this.#options.onEnd({ origin: 'remote', error }),
    });
    this.#handshake = handshake(this.#handshakeLink());
  }

  get session(): DatagramPeerSession | undefined {
    return this.#session;
  }

  start(): void {
    this.#transport.attach({
      datagram: (datagram) => this.#receive(datagram),
      end: (cause) => this.#options.onEnd({ origin: 'local', error: transportEnded(cause) }),
    });
    this.#handshake.begin();
  }

  /** Ends without a word; what was not acknowledged fails. */
  stop(error: UsmpError): void {
    this.#transport.destroy();
    this.#waiting.length = 0;
    this.#session?.stop();
    this.delivery.stop(error);
  }

  /** Sends one datagram as it is. */
  transmit(datagram: Uint8Array): void {
    this.#transport.send(datagram);
  }

  #receive(datagram: Uint8Array): void {
    if (this.isDeaf) return;
    this.#options.onDatagram(datagram);
    if (isAcknowledgement(datagram)) {
      const acknowledgement = decodeAcknowledgement(datagram);
      if (acknowledgement) this.delivery.acknowledge(acknowledgement);
    } else if (looksLikeFrame(datagram)) {
      if (this.#options.behaviour.readsWhileSending || !this.delivery.isBusy) this.#read(datagram);
      else if (this.#waiting.length === 0) this.#waiting.push(() => this.#read(datagram));
    }
  }

  #read(datagram: Uint8Array): void {
    const frame = decoded(datagram);
    const { acknowledges } = this.#options.behaviour;
    if (frame || acknowledges !== 'after-verification') {
      this.#acknowledgeAtReceipt(typeOf(datagram), seqOf(datagram));
    }
    if (!frame || frame.type === PacketType.ERROR) return;
    if (isSealedType(frame.type)) this.#session?.take(frame);
    else if (this.#options.behaviour.handshakeGoesBy === 'answers' || !this.delivery.isBusy)
      this.#handshake.take(frame);
    else this.#waiting.push(() => this.#handshake.take(frame));
  }

  #acknowledgeAtReceipt(type: PacketType, seq: number): void {
    const { acknowledges, acknowledgesHelloRetry } = this.#options.behaviour;
    if (type <= PacketType.SESSION_OK || (type === PacketType.HELLO_RETRY && acknowledgesHelloRetry)) {
      this.transmit(encodeAcknowledgement(type, seq));
    } else if (isSealedType(type) && acknowledges === 'at-receipt') {
      this.#session?.acknowledgeUnverified(type, seq);
    }
  }

  #resume(): void {
    while (!this.delivery.isBusy) {
      const read = this.#waiting.shift();
      if (!read) return;
      read();
    }
  }

  #handshakeLink(): HandshakeLink {
    const { crypto, behaviour, onEnd, onEstablished } = this.#options;
    const goesByAnswers = behaviour.handshakeGoesBy === 'answers';
    return {
      crypto,
      behaviour,
      deliver: (frame) => this.#deliverHandshake(frame),
      answered: (type) => {
        if (goesByAnswers) this.delivery.answered(type);
      },
      established: (session, lastFrame) => {
        const { delivery } = this;
        const transmit = (datagram: Uint8Array): void => this.transmit(datagram);
        this.#session = new DatagramPeerSession(session, { ...this.#options, delivery, transmit });
        this.#session.start();
        if (lastFrame) this.#deliverHandshake(lastFrame);
        onEstablished();
      },
      failed: (error) => onEnd({ origin: error.origin, error }),
    };
  }

  #deliverHandshake(frame: Uint8Array): void {
    // The acknowledgement of the plain HELLO does not say whether its answer was lost.
    const isPlainHello = typeOf(frame) === PacketType.HELLO && seqOf(frame) === 0;
    const needsAnswer = isPlainHello && this.#options.behaviour.handshakeGoesBy === 'answers';
    this.delivery.deliver({
      prepare: () => ({ frame, believes: () => !needsAnswer }),
      ...(needsAnswer && { attempts: Number.POSITIVE_INFINITY }),
    });
  }
}

/** As the field looks at a datagram before it acknowledges: magic and length, and no CRC. */
const looksLikeFrame = (datagram: Uint8Array): boolean =>
  datagram.length >= HEADER_BYTES &&
  datagram[0] === 0xcd &&
  datagram[1] === 0xab &&
  datagram.length === HEADER_BYTES + (datagram[8]! | (datagram[9]! << 8));

function decoded(datagram: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(datagram);
  } catch {
    return undefined;
  }
}

const transportEnded = (cause: unknown): ConnectionClosedError =>
  new ConnectionClosedError('CLOSED_WITHOUT_BYE', 'the transport ended', { origin: 'local', cause });
