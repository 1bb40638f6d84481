import { ConnectionClosedError, TimeoutError, UsmpError } from '../../protocol/errors.js';
import type { FrameDecoder } from '../../protocol/frame-decoder.js';
import { SecureChannel, type EstablishedSession } from '../../protocol/secure-channel.js';
import type { StreamKind, Transport, TransportSink } from '../../transport/transport.js';
import type { Inbox } from '../inbox.js';
import type { CloseInfo } from '../session.js';
import type { Link, LinkObserver, SessionSettings, Settle } from '../link.js';
import { Intake } from './intake.js';
import { Outbox } from './outbox.js';

/** What a handshake on a byte stream came to. */
export interface StreamHandshakeResult {
  readonly transport: Transport;
  /** What the handshake read frames with: frames of the session may wait in it already. */
  readonly decoder: FrameDecoder;
  readonly established: EstablishedSession;
}

/** What the parts of a link work with. */
export interface StreamParts {
  readonly transport: Transport;
  readonly channel: SecureChannel;
  readonly settings: SessionSettings;
  readonly observer: LinkObserver;
  /** The session has to end. */
  readonly fail: (error: UsmpError) => void;
}

/** A session's link over a byte stream: a violation ends it, and a peer waits because its stream is not read. */
export class StreamLink implements Link, TransportSink {
  readonly kind: StreamKind;
  readonly remoteAddress: string;
  readonly #transport: Transport;
  readonly #channel: SecureChannel;
  readonly #observer: LinkObserver;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  #byeSent = false;

  constructor(
    { transport, decoder, established }: StreamHandshakeResult,
    settings: SessionSettings,
    observer: LinkObserver,
  ) {
    const channel = new SecureChannel(settings.crypto, settings.suite, established);
    const fail = (error: UsmpError): void => observer.onEnd({ origin: error.origin, error });
    const parts = { transport, channel, settings, observer, fail };
    this.kind = transport.kind;
    this.remoteAddress = transport.remoteAddress;
    this.#transport = transport;
    this.#channel = channel;
    this.#observer = observer;
    this.#intake = new Intake(parts, decoder);
    this.#outbox = new Outbox(parts);
  }

  get inbox(): Inbox {
    return this.#intake.inbox;
  }

  get lastHeardMs(): number {
    return this.#intake.lastHeardMs;
  }

  get lastSentMs(): number {
    return this.#outbox.lastSentMs;
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
    this.#transport.attach(this);
    this.#intake.start();
  }

  sendAtOnce(message: Uint8Array): Promise<void> | undefined {
    return this.#outbox.sendAtOnce(message);
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
    this.#outbox.finish(() => {
      this.#byeSent = true;
      this.#intake.takeRest();
      this.#transport.end();
      // A full inbox must not keep us from seeing that the peer has closed.
      this.#transport.resume();
    });
  }

  close(info: CloseInfo): void {
    this.#intake.stop();
    this.#outbox.end(info);
    // What a peer that is not there would have to read must not stay in the kernel.
    if (info.error instanceof TimeoutError) this.#transport.reset();
    else this.#transport.destroy();
  }

  wipe(): void {
    this.#channel.wipe();
  }

  /** Part of TransportSink. */
  data(bytes: Uint8Array): void {
    // After our BYE the stream is read only to its end, so that closing does not cut the BYE off.
    if (!this.#byeSent) this.#intake.take(bytes);
  }

  /** Part of TransportSink. */
  drain(): void {
    this.#outbox.drained();
  }

  /** Part of TransportSink. */
  end(cause?: unknown): void {
    if (this.#byeSent) {
      // A peer that closes in answer to BYE has read everything before it.
      if (cause === undefined) this.#outbox.drained();
      return this.#observer.onEnd({ origin: 'local' });
    }
    this.#intake.takeRest();
    const error = cause instanceof UsmpError ? cause : brokenOff(cause);
    this.#observer.onEnd({ origin: error.origin, error });
  }
}

const brokenOff = (cause: unknown): ConnectionClosedError =>
  new ConnectionClosedError(
    'CLOSED_WITHOUT_BYE',
    cause instanceof Error ? `the connection broke: ${cause.message}` : 'the connection ended without BYE',
    { cause },
  );
