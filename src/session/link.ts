import type { SchedulerLike } from 'rxjs';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import type { CipherSuite } from '../protocol/crypto-provider.js';
import type { UsmpError } from '../protocol/errors.js';
import type { OpenedFrame } from '../protocol/reassembly.js';
import type { ReceivedFrame } from '../protocol/secure-channel.js';
import type { TransportKind } from '../transport/transport.js';
import type { Inbox } from './inbox.js';
import type { SessionEvent } from './session-event.js';
import type { SessionLimits } from './session-limits.js';
import type { CloseInfo } from './session.js';

/** Tells the sender what became of a message: the error, or undefined; `unsent` is the message where nothing of it was sent. */
export type Settle = (error?: UsmpError, unsent?: Uint8Array) => void;

/** What a link tells its session. */
export interface LinkObserver {
  /** Whether anybody watches the events that come with every message. */
  readonly isWatched: boolean;
  onEvent(event: SessionEvent): void;
  /** A frame is authentic, and keys may have changed with it. */
  onOpened(frame: ReceivedFrame): void;
  /** And it may stand where it stands. `isAnswered`: whether a PING gets its PONG. */
  onAccepted(frame: OpenedFrame, isAnswered: boolean): void;
  /** A frame was sealed, the last one of a message or a control frame; the message where there is one. */
  onSealed(message: Uint8Array | undefined): void;
  /** The session is over. */
  onEnd(info: CloseInfo): void;
}

/** How sessions are kept: the same object for many. */
export interface SessionSettings {
  readonly crypto: CryptoProvider;
  readonly suite: CipherSuite;
  readonly scheduler: SchedulerLike;
  readonly limits: SessionLimits;
}

/**
 * The way of a session's messages to the peer and back. A byte stream and datagrams differ in how frames are delivered, in what
 * becomes of one that does not fit, and in how a peer is made to wait; a session does not see it.
 */
export interface Link {
  readonly kind: TransportKind;
  readonly remoteAddress: string;
  readonly inbox: Inbox;
  /** When the last authentic frame came, in milliseconds of the scheduler's clock. */
  readonly lastHeardMs: number;
  /** When a frame last left, in milliseconds of the scheduler's clock; before the first, when the link was made. */
  readonly lastSentMs: number;
  /** Whether a change of keys waits for its confirmation. */
  readonly rekeyPending: boolean;
  /** Frames sent or received under the present keys, whichever are more. */
  readonly framesUnderKeys: number;
  /** Whether BYE has left. */
  readonly byeSent: boolean;
  /** Takes the transport over and begins to read; called once. */
  start(): void;
  /**
   * Sends a message of 0 to 1808 bytes together with others. Returns the promise that they share and that is never an unhandled
   * rejection, or undefined where this one has to go by `send`.
   */
  sendAtOnce(message: Uint8Array): Promise<void> | undefined;
  /**
   * Sends a message of 0 to 1808 bytes. Returns what takes it back, as long as nothing of it is sealed.
   * @throws InvalidStateError `OUTBOX_FULL`
   */
  send(message: Uint8Array, settle: Settle): () => void;
  /** Answers a PING. */
  pong(): void;
  /** Sends PING before any message that still waits; `onSealed` is told when it leaves. */
  ping(onSealed: () => void): void;
  /** Sends REKEY and a PING under the new keys, before any message that still waits. */
  rekey(onSealed: () => void): void;
  /** Sends everything that waits, then BYE; the observer is told the end. */
  finish(): void;
  /** Closes the transport; nothing is sent, received or reported after. Whoever waits for a message to be sent is told why. */
  close(info: CloseInfo): void;
  /** Forgets all keys; after `close`. */
  wipe(): void;
}
