import type { Subscription } from 'rxjs';
import {
  checkMessageLength,
  concatBytes,
  ControlFloodDetector,
  forEachFragment,
  PacketType,
  SALT_BYTES,
  utf8,
  type EstablishedSession,
  type Frame,
  type OpenedFrame,
  type SealedType,
  type UsmpError,
} from '../protocol/index.js';
import { sealAcknowledgement } from '../protocol/datagram/acknowledgement.js';
import { abortable } from '../session/abort.js';
import type { CloseInfo } from '../session/session.js';
import { DatagramPeerChannel, type OpenedDatagram } from './datagram-peer-channel.js';
import type { DatagramPeerSettings } from './datagram-peer-link.js';
import type { Outgoing, PeerDelivery } from './peer-delivery.js';

interface DatagramPeerSessionOptions extends DatagramPeerSettings {
  readonly delivery: PeerDelivery;
  readonly transmit: (datagram: Uint8Array) => void;
  readonly onFrame: (frame: OpenedFrame) => void;
  readonly onMessage: (message: Uint8Array) => void;
  readonly onEnd: (info: CloseInfo) => void;
}

/** The beginning of a message, and where the rest has to follow. */
interface Beginning {
  readonly fragments: readonly Uint8Array[];
  readonly epoch: OpenedDatagram['epoch'];
  readonly nextSeq: number;
}

/** A session on UDP that stands, as firmware keeps it. */
export class DatagramPeerSession {
  readonly established: EstablishedSession;
  readonly #options: DatagramPeerSessionOptions;
  readonly #channel: DatagramPeerChannel;
  readonly #flood = new ControlFloodDetector();
  #beginning: Beginning | undefined;
  #keepalive: Subscription | undefined;
  #lastSentMs: number;
  #isOver = false;

  constructor(established: EstablishedSession, options: DatagramPeerSessionOptions) {
    this.established = established;
    this.#options = options;
    this.#channel = new DatagramPeerChannel(established, options);
    this.#lastSentMs = options.scheduler.now();
  }

  /** The sequence number of the next frame. */
  get nextSeq(): number {
    return this.#channel.nextSeq;
  }

  get forge(): DatagramPeerChannel['forge'] {
    return (recipe) => this.#channel.forge(recipe);
  }

  /** Begins to send PING where that is its behaviour. */
  start(): void {
    const { keepaliveMs, scheduler } = this.#options;
    if (keepaliveMs === undefined) return;
    const keepAlive = (): number => this.#keepAlive(keepaliveMs);
    this.#keepalive = scheduler.schedule(function () {
      this.schedule(undefined, keepAlive());
    }, keepaliveMs);
  }

  stop(): void {
    this.#isOver = true;
    this.#keepalive?.unsubscribe();
  }

  /** Resolves when the last frame of the message is acknowledged. */
  send(message: Uint8Array | string): Promise<void> {
    const bytes = typeof message === 'string' ? utf8(message) : message;
    checkMessageLength(bytes.length);
    let acknowledged = Promise.resolve();
    forEachFragment(bytes, (type, plaintext) => {
      acknowledged = this.deliver(type, plaintext);
    });
    return acknowledged;
  }

  deliver(type: SealedType, plaintext?: Uint8Array): Promise<void> {
    return this.#deliver(() => this.#channel.seal(type, plaintext));
  }

  rekey(): Promise<void> {
    return this.#deliver(
      () => this.#channel.sealRekey(),
      () => this.#channel.completeRekey(),
    );
  }

  /** Acknowledges what looks like a sealed frame, with the key of the moment. */
  acknowledgeUnverified(type: SealedType, seq: number): void {
    this.#acknowledge(this.#channel.receivingKey, type, seq);
  }

  /** Takes a frame of a type that is sealed, of which nothing is verified yet. */
  take(frame: Frame): void {
    const opened = this.#isOver ? undefined : this.#channel.open(frame);
    const type = frame.type as SealedType;
    if (!opened) return;
    const { behaviour, delivery } = this.#options;
    if (acknowledgesVerified(behaviour.acknowledges, opened)) {
      this.#acknowledge(opened.epoch.receivingKey, type, frame.seq);
    }
    if (behaviour.handshakeGoesBy === 'answers') delivery.answered(PacketType.SESSION_OK);
    if (this.#channel.completesRekey(opened)) delivery.answered(PacketType.REKEY);
    if (!opened.isRepeat) this.#takeFresh(type, frame.seq, opened);
  }

  #takeFresh(type: SealedType, seq: number, opened: OpenedDatagram): void {
    const { answersPings, onFrame, onEnd, scheduler } = this.#options;
    if (type === PacketType.REKEY) {
      if (opened.plaintext.length !== SALT_BYTES) return;
      this.#channel.takeRekey(opened);
    }
    onFrame({ type, plaintext: opened.plaintext });
    try {
      this.#flood.observe(type, scheduler.now());
    } catch (error) {
      onEnd({ origin: 'remote', error: error as UsmpError });
    }
    this.#assemble(type, seq, opened);
    if (this.#isOver) return;
    if (type === PacketType.PING && answersPings) void this.deliver(PacketType.PONG);
    if (type === PacketType.BYE) onEnd({ origin: 'remote' });
  }

  /** A gap costs the message that it is in, and so does a frame of another type. */
  #assemble(type: SealedType, seq: number, { plaintext, epoch }: OpenedDatagram): void {
    const beginning = this.#beginning;
    this.#beginning = undefined;
    if (type !== PacketType.DATA && type !== PacketType.DATA_FRAG) return;
    if (beginning && (beginning.epoch !== epoch || beginning.nextSeq !== seq)) return;
    const fragments = [...(beginning?.fragments ?? []), plaintext];
    if (type === PacketType.DATA) this.#options.onMessage(concatBytes(...fragments));
    else this.#beginning = { fragments, epoch, nextSeq: seq + 1 };
  }

  #deliver(prepare: () => Outgoing, delivered?: () => void): Promise<void> {
    return abortable(undefined, (resolve, reject) => {
      this.#options.delivery.deliver({
        prepare: () => {
          this.#lastSentMs = this.#options.scheduler.now();
          return prepare();
        },
        delivered: () => {
          delivered?.();
          resolve();
        },
        failed: reject,
      });
      return () => {};
    });
  }

  #acknowledge(key: Uint8Array, type: SealedType, seq: number): void {
    this.#options.transmit(sealAcknowledgement(this.#options.crypto, key, type, seq));
  }

  /** Sends PING where it is due and returns the milliseconds until it can be due next. */
  #keepAlive(keepaliveMs: number): number {
    const now = this.#options.scheduler.now();
    if (now - this.#lastSentMs < keepaliveMs) return this.#lastSentMs + keepaliveMs - now;
    if (!this.#options.delivery.isBusy) void this.deliver(PacketType.PING);
    return keepaliveMs;
  }
}

const acknowledgesVerified = (
  acknowledges: DatagramPeerSettings['behaviour']['acknowledges'],
  { isRepeat }: OpenedDatagram,
): boolean => acknowledges === 'after-verification' || (acknowledges === 'once-after-verification' && !isRepeat);
