import type { Observable } from 'rxjs';
import type { UsmpError } from '../protocol/errors.js';
import type { TransportKind } from '../transport/transport.js';
import type { SessionEvent } from './session-event.js';

/** `closing`: our BYE is on its way. */
export type SessionState = 'open' | 'closing' | 'closed';

/** How a session ended. */
export interface CloseInfo {
  /** Who ended it. */
  readonly origin: 'local' | 'remote';
  /** What went wrong; absent after a BYE. */
  readonly error?: UsmpError;
}

export interface SendOptions {
  /** Takes a message back that waits for the peer to read. One that is sealed already is sent all the same. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReceiveOptions {
  /** A limit on silence: every authentic frame of the peer starts it anew (protocol.md section 8). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An encrypted, mutually authenticated session with one peer. Promises never reject with anything but a UsmpError. */
export interface Session extends AsyncIterable<Uint8Array> {
  /** `00:11:22:33:44:55` */
  readonly deviceId: string;
  /** 32 hexadecimal digits. */
  readonly sessionId: string;
  readonly transport: TransportKind;
  readonly remoteAddress: string;
  /** The present state first; completes after `closed`. Never errors. */
  readonly state$: Observable<SessionState>;
  /**
   * The peer's messages, 0 to 1808 bytes each: first what waits in the inbox, then what comes; shared by all who subscribe.
   * Completes at a BYE of either side; errors with a UsmpError at any other end. Who subscribes after the end gets what is left
   * in the inbox, then the end. Errors with InvalidStateError `TWO_CONSUMERS` where `recv` or an iterator is consuming.
   */
  readonly messages$: Observable<Uint8Array>;
  /** What happens, without consuming anything. Hot; completes after `closed`. Never errors. */
  readonly events$: Observable<SessionEvent>;
  /** Resolves at the end, whatever its reason; never rejects. */
  readonly closed: Promise<CloseInfo>;
  /**
   * Sends a message of 0 to 1808 bytes; a text means its UTF-8 bytes. Messages leave in the order of the calls. Resolves when
   * the transport has taken it below its high-water mark. Rejections need no handler: the session's end tells as well.
   * @throws PayloadError (nothing was sent, the session lives), InvalidStateError `OUTBOX_FULL` or `ABORTED`,
   *   ConnectionClosedError: `CLOSED_BEFORE_SEND` where not a byte of it was sent, or the error that ended the session.
   */
  send(data: Uint8Array | string, options?: SendOptions): Promise<void>;
  /**
   * The next message; calls are served in order. What came before the end is still returned after it.
   * @throws TimeoutError `TIMEOUT_RECV` (the session lives), ConnectionClosedError after the end (its cause is the error that
   *   ended the session; a call that waits at that moment gets that error itself), InvalidStateError `TWO_CONSUMERS`, `ABORTED`.
   */
  recv(options?: ReceiveOptions): Promise<Uint8Array>;
  /**
   * Sends PING, never in bursts (protocol.md section 6), and resolves with the round trip in milliseconds. Calls while one is
   * under way share its answer.
   * @throws ConnectionClosedError, InvalidStateError `ABORTED`
   */
  ping(options?: { readonly signal?: AbortSignal | undefined }): Promise<number>;
  /**
   * Makes fresh keys; loses nothing that is in flight. Resolves when the peer's first frame under them was opened. Calls while
   * one is under way share it.
   * @throws ConnectionClosedError, InvalidStateError `ABORTED`
   */
  rekey(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Ends the session: everything that was sent before, then BYE. Resolves when it is closed; never rejects. */
  bye(): Promise<void>;
  /** Messages until a BYE; throws the UsmpError of any other end. Leaving the loop does not close the session. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array>;
  /** The same as `bye`. */
  [Symbol.asyncDispose](): Promise<void>;
}
