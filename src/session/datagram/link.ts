import { decodeAcknowledgement, isAcknowledgement } from '../../protocol/datagram/acknowledgement.js';
import { DatagramChannel } from '../../protocol/datagram/datagram-channel.js';
import { ConnectionClosedError, type UsmpError } from '../../protocol/errors.js';
import { PacketType } from '../../protocol/packet-type.js';
import type { DatagramSink, DatagramTransport } from '../../transport/datagram.js';
import type { Inbox } from '../inbox.js';
import type { CloseInfo } from '../session.js';
import type { Link, LinkObserver, SessionSettings, Settle } from '../link.js';
import type { AnsweredDatagrams } from './answered-datagrams.js';
import { decodeDatagram } from './decode-datagram.js';
import type { DatagramHandshakeResult } from './handshake.js';
import { DatagramIntake } from './intake.js';
import { DatagramOutbox } from './outbox.js';

/**
 * A session's link over datagrams: each frame is repeated until it is acknowledged, nothing that is not authentic has an effect,
 * and a peer waits because it is not acknowledged.
 */
export class DatagramLink implements Link, DatagramSink {
  readonly kind = 'udp';
  readonly remoteAddress: string;
  readonly #transport: DatagramTransport;
  readonly #channel: DatagramChannel;
  readonly #intake: DatagramIntake;
  readonly #outbox: DatagramOutbox;
  readonly #observer: LinkObserver;
  readonly #answered: AnsweredDatagrams;
  #lastSentMs: number;
  #byeSent = false;
  /** The peer's BYE and its acknowledgement. */
  #peerBye: readonly [Uint8Array, Uint8Array] | undefined;

  constructor(
    { transport, delivery, answered, established }: DatagramHandshakeResult,
    settings: SessionSettings,
    observer: LinkObserver,
  ) {
    const { crypto, suite, scheduler, limits } = settings;
    this.remoteAddress = transport.remoteAddress;
    this.#transport = transport;
    this.#answered = answered;
    this.#observer = observer;
    this.#lastSentMs = scheduler.now();
    const channel = new DatagramChannel(crypto, suite, established);
    this.#channel = channel;
    const onFailure = (error: UsmpError): void => observer.onEnd({ origin: error.origin, error });
    this.#outbox = new DatagramOutbox({
      crypto,
      channel,
      delivery,
      maxOutboxBytes: limits.maxOutboxBytes,
      onSealed: (message) => {
        this.#lastSentMs = scheduler.now();
        observer.onSealed(message);
      },
      onFailure,
    });
    this.#intake = new DatagramIntake({
      settings,
      observer,
      transport,
      channel,
      onHeard: () => this.#outbox.heard(),
      onBye: (bye, acknowledgement) => {
        this.#peerBye = [bye, acknowledgement];
      },
      onFailure,
    });
  }

  get inbox(): Inbox {
    return this.#intake.inbox;
  }

  get lastHeardMs(): number {
    return this.#intake.lastHeardMs;
  }

  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  get rekeyPending(): boolean {
    return this.#channel.rekeyPending;
  }

  get framesUnderKeys(): number {
    return this.#channel.framesUnderKeys;
  }

  get byeSent(): boolean {
    return this.#byeSent;
  }

  start(): void {
    this.#intake.start();
    this.#transport.attach(this);
  }

  /** Never: each message waits for its own acknowledgement. */
  sendAtOnce(): undefined {
    return undefined;
  }

  send(message: Uint8Array, settle: Settle): () => void {
    return this.#outbox.send(message, settle);
  }

  pong(): void {
    this.#outbox.pong();
  }

  ping(onSealed: () => void): void {
    this.#outbox.ping(onSealed);
  }

  rekey(onSealed: () => void): void {
    this.#outbox.rekey(onSealed);
  }

  finish(): void {
    this.#outbox.finish(
      () => {
        this.#byeSent = true;
        this.#intake.refuseData();
      },
      () => this.#observer.onEnd({ origin: 'local' }),
    );
  }

  close(info: CloseInfo): void {
    this.#intake.stop();
    this.#outbox.end(info);
    if (this.#peerBye) this.#transport.retire(...this.#peerBye);
    else this.#transport.destroy();
  }

  wipe(): void {
    this.#channel.wipe();
  }

  /** Part of DatagramSink. */
  datagram(datagram: Uint8Array): void {
    if (isAcknowledgement(datagram)) return this.#takeAcknowledgement(datagram);
    const frame = decodeDatagram(datagram);
    if (!frame) return this.#intake.drop('malformed');
    const answer = frame.type < PacketType.DATA ? this.#answered.answerTo(datagram) : undefined;
    if (answer) this.#transport.send(answer);
    else this.#intake.take(frame);
  }

  /** Part of DatagramSink. */
  end(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : 'the socket was closed';
    const error = new ConnectionClosedError('CLOSED_WITHOUT_BYE', reason, { cause });
    this.#observer.onEnd({ origin: 'remote', error });
  }

  #takeAcknowledgement(datagram: Uint8Array): void {
    const isOfHandshake = decodeAcknowledgement(datagram)?.type === PacketType.SESSION_OK;
    const isTaken = isOfHandshake ? this.#outbox.handshakeAcknowledged() : this.#outbox.takeAcknowledgement(datagram);
    if (!isTaken) this.#intake.drop('stray-acknowledgement');
  }
}
