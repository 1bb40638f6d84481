import type { SchedulerLike, Subscription } from 'rxjs';
import {
  BETWEEN_MESSAGES,
  checkMessageLength,
  concatBytes,
  ControlFloodDetector,
  forEachFragment,
  PacketType,
  reassemble,
  utf8,
  type Assembly,
  type CipherSuite,
  type CryptoProvider,
  type Frame,
  type OpenedFrame,
  type UsmpError,
} from '../protocol/index.js';
import type { StreamHandshakeResult } from '../session/stream/link.js';
import type { CloseInfo } from '../session/session.js';
import { connectionLost } from './connection-lost.js';
import { PeerChannel } from './peer-channel.js';

/** What differs between the firmwares in the field. */
export interface PeerBehaviour {
  /** The default is `aes-256-gcm`. */
  readonly suite?: CipherSuite;
  /** Sends PING when it has sent nothing for this long; the default is never. On virtual time that goes on for ever. */
  readonly keepaliveMs?: number;
  /** Whether it answers PING; the default is true. */
  readonly answersPings?: boolean;
  /** Whether a REKEY of its own switches both directions at once, as fielded peers do (the default), or loses nothing. */
  readonly switchKeysAtOnce?: boolean;
}

interface PeerSessionOptions {
  readonly behaviour: PeerBehaviour;
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly onFrame: (frame: OpenedFrame) => void;
  readonly onMessage: (message: Uint8Array) => void;
  /** The other side ended it, or broke a rule. */
  readonly onEnd: (info: CloseInfo) => void;
}

/** A session that stands, as firmware keeps it: everything is done within the call. */
export class PeerSession {
  readonly established: StreamHandshakeResult['established'];
  readonly channel: PeerChannel;
  readonly #handshake: StreamHandshakeResult;
  readonly #options: PeerSessionOptions;
  readonly #flood = new ControlFloodDetector();
  #assembly: Assembly = BETWEEN_MESSAGES;
  #keepalive: Subscription | undefined;
  #lastSentMs: number;
  #isOver = false;

  constructor(handshake: StreamHandshakeResult, options: PeerSessionOptions) {
    const { behaviour, crypto, scheduler } = options;
    const { suite = 'aes-256-gcm', switchKeysAtOnce = true } = behaviour;
    this.established = handshake.established;
    this.channel = new PeerChannel(handshake.established, { crypto, suite, switchKeysAtOnce });
    this.#handshake = handshake;
    this.#options = options;
    this.#lastSentMs = scheduler.now();
  }

  /** Begins to read, and to send PING where that is its behaviour. */
  start(): void {
    const { behaviour, scheduler } = this.#options;
    const { keepaliveMs } = behaviour;
    if (keepaliveMs !== undefined) {
      const keepAlive = (): number => this.#keepAlive(keepaliveMs);
      this.#keepalive = scheduler.schedule(function () {
        this.schedule(undefined, keepAlive());
      }, keepaliveMs);
    }
    this.#handshake.transport.attach({
      data: (bytes) => {
        this.#handshake.decoder.push(bytes);
        this.#read();
      },
      drain() {},
      end: (cause) => this.#end({ origin: 'remote', error: connectionLost(cause) }),
    });
    this.#read();
  }

  /** Sends a message of 0 to 1808 bytes, its frames in one write. */
  send(message: Uint8Array | string): void {
    const bytes = typeof message === 'string' ? utf8(message) : message;
    checkMessageLength(bytes.length);
    const frames: Uint8Array[] = [];
    forEachFragment(bytes, (type, plaintext) => frames.push(this.channel.seal(type, plaintext)));
    this.write(concatBytes(...frames));
  }

  write(bytes: Uint8Array): void {
    this.#lastSentMs = this.#options.scheduler.now();
    this.#handshake.transport.write(bytes);
  }

  /** Does nothing more, and leaves the transport to the caller. */
  stop(): void {
    this.#isOver = true;
    this.#keepalive?.unsubscribe();
  }

  #read(): void {
    const { decoder } = this.#handshake;
    try {
      for (
        let frame = this.#isOver ? undefined : decoder.next();
        frame;
        frame = this.#isOver ? undefined : decoder.next()
      ) {
        this.#take(frame);
      }
    } catch (error) {
      this.#end({ origin: 'remote', error: error as UsmpError });
    }
  }

  #take(received: Frame): void {
    if (received.type === PacketType.ERROR) return;
    const { scheduler, onFrame, onMessage, behaviour } = this.#options;
    const frame = this.channel.open(received);
    this.#flood.observe(frame.type, scheduler.now());
    this.#assembly = reassemble(this.#assembly, frame);
    onFrame(frame);
    if (this.#assembly.at === 'message-end') onMessage(this.#assembly.message);
    if (this.#isOver) return;
    if (frame.type === PacketType.PING && behaviour.answersPings !== false)
      this.write(this.channel.seal(PacketType.PONG));
    if (frame.type === PacketType.BYE) this.#end({ origin: 'remote' });
  }

  #end(info: CloseInfo): void {
    if (this.#isOver) return;
    this.stop();
    this.#handshake.transport.destroy();
    this.#options.onEnd(info);
  }

  /** Sends PING where it is due and returns the milliseconds until it can be due next. */
  #keepAlive(keepaliveMs: number): number {
    const now = this.#options.scheduler.now();
    if (now - this.#lastSentMs >= keepaliveMs) this.write(this.channel.seal(PacketType.PING));
    return this.#lastSentMs + keepaliveMs - now;
  }
}
