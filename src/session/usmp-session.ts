import { ReplaySubject, Subject, Subscription, type Observable, type SchedulerLike } from 'rxjs';
import { toHex, utf8 } from '../protocol/bytes.js';
import { formatDeviceId } from '../protocol/device-id.js';
import { ConnectionClosedError, TimeoutError, type UsmpError } from '../protocol/errors.js';
import { PacketType } from '../protocol/packet-type.js';
import type { ReceivedFrame } from '../protocol/secure-channel.js';
import { MAX_MESSAGE_BYTES } from '../protocol/sizes.js';
import type { TransportKind } from '../transport/transport.js';
import { abortable } from './abort.js';
import { ControlPacing } from './control-pacing.js';
import { DatagramLink } from './datagram/link.js';
import { encodeMessage } from './encode-message.js';
import { Heartbeat } from './heartbeat.js';
import type { HandshakeResult } from './handshake.js';
import type { Link, LinkOptions, Settle } from './link.js';
import { Rekeying } from './rekeying.js';
import { SessionMessageEvent, type SessionEvent } from './session-event.js';
import type { SessionLimits } from './session-limits.js';
import type { CloseInfo, ReceiveOptions, SendOptions, Session, SessionState } from './session.js';
import { StreamLink } from './stream/link.js';

/** What a session is made of: the outcome of a handshake, and how it is kept. */
export type SessionParts = HandshakeResult & Omit<LinkOptions, 'observer'>;

const NO_OPTIONS: SendOptions = Object.freeze({});

/** The one implementation of Session. Nothing is read before `start`. */
export class UsmpSession implements Session {
  readonly deviceId: string;
  readonly sessionId: string;
  readonly transport: TransportKind;
  readonly remoteAddress: string;
  readonly state$: Observable<SessionState>;
  readonly messages$: Observable<Uint8Array>;
  readonly events$: Observable<SessionEvent>;
  readonly closed: Promise<CloseInfo>;

  readonly #link: Link;
  readonly #scheduler: SchedulerLike;
  readonly #limits: SessionLimits;
  readonly #pacing: ControlPacing;
  readonly #heartbeat: Heartbeat;
  readonly #rekeying: Rekeying;
  readonly #states$ = new ReplaySubject<SessionState>(1);
  readonly #observed$ = new Subject<SessionEvent>();
  readonly #closeLimits = new Subscription();
  #resolveClosed: (info: CloseInfo) => void = () => {};
  #state: SessionState = 'open';
  #closeInfo: CloseInfo | undefined;

  constructor(parts: SessionParts) {
    const { established, scheduler, limits } = parts;
    this.deviceId = formatDeviceId(established.deviceId);
    this.sessionId = toHex(established.sessionId);
    this.#scheduler = scheduler;
    this.#limits = limits;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.state$ = this.#states$.asObservable();
    this.events$ = this.#observed$.asObservable();
    this.#states$.next('open');

    this.#link = this.#openLink(parts);
    this.transport = this.#link.kind;
    this.remoteAddress = this.#link.remoteAddress;
    this.messages$ = this.#link.inbox.messages$;
    this.#pacing = new ControlPacing(scheduler);
    this.#heartbeat = new Heartbeat({
      scheduler,
      keepaliveMs: limits.keepaliveMs,
      lastSentMs: () => this.#link.lastSentMs,
      lastHeardMs: () => this.#link.lastHeardMs,
      sendPing: (onSealed) =>
        this.#pacing.run(1, () =>
          this.#link.ping(() => {
            this.#pacing.sent(1);
            onSealed();
          }),
        ),
    });
    this.#rekeying = new Rekeying({
      scheduler,
      policy: limits.rekey,
      link: this.#link,
      sendRekey: (onSealed) =>
        this.#pacing.run(2, () =>
          this.#link.rekey(() => {
            this.#pacing.sent(2);
            this.#heartbeat.pingSent();
            onSealed();
          }),
        ),
    });
  }

  /** Takes the transport over and begins to read; called once. */
  start(): void {
    this.#link.start();
  }

  send(data: Uint8Array | string, { signal }: SendOptions = NO_OPTIONS): Promise<void> {
    const sent = signal === undefined ? this.#sendAtOnce(data) : undefined;
    if (sent) return sent;
    return abortable(signal, (resolve, reject) => this.enqueue(data, (error) => (error ? reject(error) : resolve())));
  }

  /**
   * `send` with a callback, which is called once and may be called at once; `unsent` is the session's own copy of a message that
   * it did not send at all. Returns what takes the message back.
   */
  enqueue(data: Uint8Array | string, settle: Settle): () => void {
    try {
      const message = encodeMessage(data);
      if (this.#state === 'open') return this.#link.send(message, settle);
      throw new ConnectionClosedError('CLOSED_BEFORE_SEND', `the session is ${this.#state}`, { origin: 'local' });
    } catch (error) {
      settle(error as UsmpError);
      this.#observed$.next({ type: 'send-refused', error: error as UsmpError });
    }
    return () => {};
  }

  recv(options?: ReceiveOptions): Promise<Uint8Array> {
    return this.#link.inbox.recv(options);
  }

  /** `recv` for a caller that has waited since `silentSinceMs`, on the scheduler's clock, already. */
  recvSince(silentSinceMs: number, options: ReceiveOptions): Promise<Uint8Array> {
    return this.#link.inbox.recv(options, silentSinceMs);
  }

  /** When the last authentic frame came, in milliseconds of the scheduler's clock. */
  get lastHeardMs(): number {
    return this.#link.lastHeardMs;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** How the session ended, once it has. */
  get closeInfo(): CloseInfo | undefined {
    return this.#closeInfo;
  }

  /** Whether the session is over and every message of it was consumed. */
  get exhausted(): boolean {
    return this.#link.inbox.exhausted;
  }

  ping({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    return this.#state === 'open' ? this.#heartbeat.ping(signal) : this.#rejectClosed();
  }

  rekey({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#state === 'open' ? this.#rekeying.rekey(signal) : this.#rejectClosed();
  }

  async bye(): Promise<void> {
    this.beginClose(this.#limits.closeTimeoutMs);
    await this.closed;
  }

  /**
   * `bye` with a limit in milliseconds, after which the connection is closed whatever is left to send. Of several calls the
   * limit that passes first counts.
   */
  beginClose(limitMs: number): void {
    if (this.#state === 'closed') return;
    this.#closeLimits.add(this.#scheduler.schedule(() => this.#closeOverdue(limitMs), limitMs));
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#states$.next('closing');
    this.#heartbeat.stopKeepalive();
    this.#rekeying.stop();
    this.#pacing.stop();
    this.#link.finish();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.#link.inbox.iterate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.bye();
  }

  /** What identifies the session; a log line must not walk through its streams. */
  toJSON(): object {
    const { deviceId, sessionId, transport, remoteAddress } = this;
    return { deviceId, sessionId, transport, remoteAddress };
  }

  /** The way that nearly all messages take; whatever is not as it should be goes the other one. */
  #sendAtOnce(data: Uint8Array | string): Promise<void> | undefined {
    if (this.#state !== 'open') return undefined;
    const message = typeof data === 'string' ? utf8(data) : data;
    return message instanceof Uint8Array && message.length <= MAX_MESSAGE_BYTES
      ? this.#link.sendAtOnce(message)
      : undefined;
  }

  #openLink(parts: SessionParts): Link {
    const options: LinkOptions = {
      ...parts,
      observer: {
        isWatched: () => this.#observed$.observed,
        onEvent: (event) => this.#observed$.next(event),
        onOpened: (frame) => this.#keysChanged(frame),
        onAccepted: (frame, isAnswered) => this.#answer(frame, isAnswered),
        onSealed: (message) => this.#sealed(message),
        onEnd: (info) => this.#close(info),
      },
    };
    return 'decoder' in parts ? new StreamLink(parts, options) : new DatagramLink(parts, options);
  }

  /** What a frame asks for beside its place in a message. */
  #answer({ type }: ReceivedFrame, isAnswered: boolean): void {
    this.#rekeying.progressed();
    if (type === PacketType.PING) {
      if (isAnswered) this.#link.pong();
      this.#observed$.next({ type: 'ping' });
    } else if (type === PacketType.PONG) {
      const roundTripMs = this.#heartbeat.pong();
      if (roundTripMs !== undefined) this.#observed$.next({ type: 'pong', roundTripMs });
    } else if (type === PacketType.BYE) {
      this.#close({ origin: this.#link.byeSent ? 'local' : 'remote' });
    }
  }

  #keysChanged({ rekeyedBy }: ReceivedFrame): void {
    if (rekeyedBy.length === 0) return;
    this.#rekeying.keysChanged();
    for (const initiator of rekeyedBy) this.#observed$.next({ type: 'rekeyed', initiator });
  }

  #sealed(message: Uint8Array | undefined): void {
    if (message === undefined) return;
    if (this.#observed$.observed) this.#observed$.next(new SessionMessageEvent('sent', message));
    this.#rekeying.progressed();
  }

  #closeOverdue(limitMs: number): void {
    if (this.#link.byeSent) return this.#close({ origin: 'local' });
    const error = new TimeoutError(
      'TIMEOUT_SEND',
      `the peer did not read what was sent before BYE within ${limitMs} ms`,
    );
    this.#close({ origin: error.origin, error });
  }

  /** The end, once, in the order that design.md gives: timers, transport, observables, `closed`, keys. */
  #close(info: CloseInfo): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeInfo = info;
    const error = info.error ?? new ConnectionClosedError('CLOSED_BY_BYE', 'the session ended with BYE', info);
    this.#closeLimits.unsubscribe();
    this.#pacing.stop();
    this.#heartbeat.end(error);
    this.#rekeying.end(error);
    this.#link.close(error);
    this.#link.inbox.end(info.error ?? 'bye');
    this.#states$.next('closed');
    this.#states$.complete();
    this.#observed$.next({ type: 'closed', info });
    this.#observed$.complete();
    this.#resolveClosed(info);
    this.#link.wipe();
  }

  #rejectClosed(): Promise<never> {
    return abortable(undefined, (_resolve, reject) => {
      reject(new ConnectionClosedError('CLOSED', `the session is ${this.#state}`, { origin: 'local' }));
      return () => {};
    });
  }
}
