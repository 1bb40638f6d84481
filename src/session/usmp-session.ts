import { ReplaySubject, Subject, Subscription, type Observable } from 'rxjs';
import { toHex, utf8 } from '../protocol/bytes.js';
import { formatDeviceId } from '../protocol/device-id.js';
import { ConnectionClosedError, TimeoutError, type UsmpError } from '../protocol/errors.js';
import { PacketType } from '../protocol/packet-type.js';
import type { OpenedFrame } from '../protocol/reassembly.js';
import type { ReceivedFrame } from '../protocol/secure-channel.js';
import { MAX_MESSAGE_BYTES } from '../protocol/sizes.js';
import type { TransportKind } from '../transport/transport.js';
import { abortable } from './abort.js';
import { Control } from './control.js';
import { DatagramLink } from './datagram/link.js';
import { encodeMessage } from './encode-message.js';
import type { HandshakeResult } from './handshake.js';
import type { Link, LinkObserver, SessionSettings, Settle } from './link.js';
import { endError } from './send-errors.js';
import { SessionMessageEvent, type SessionEvent } from './session-event.js';
import type { CloseInfo, ReceiveOptions, SendOptions, Session, SessionState } from './session.js';
import { StreamLink } from './stream/link.js';

/** Who keeps sessions is told of them without an observable for each. */
export interface SessionWatcher {
  /** Whether it wants the events that come with every message. */
  readonly wantsMessages: boolean;
  onEvent(session: UsmpSession, event: SessionEvent): void;
  onState(session: UsmpSession, state: SessionState): void;
}

const NO_OPTIONS: SendOptions = Object.freeze({});

/** The one implementation of Session. Nothing is read before `start`. What nobody asks for is not made: idle sessions are many. */
export class UsmpSession implements Session, LinkObserver {
  readonly deviceId: string;
  readonly sessionId: string;
  readonly transport: TransportKind;
  readonly remoteAddress: string;

  readonly #link: Link;
  readonly #settings: SessionSettings;
  readonly #watcher: SessionWatcher | undefined;
  #control: Control | undefined;
  #states$: ReplaySubject<SessionState> | undefined;
  #observed$: Subject<SessionEvent> | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #resolveClosed: ((info: CloseInfo) => void) | undefined;
  #closeLimits: Subscription | undefined;
  #state: SessionState = 'open';
  #closeInfo: CloseInfo | undefined;

  constructor(result: HandshakeResult, settings: SessionSettings, watcher?: SessionWatcher) {
    const { deviceId, sessionId } = result.established;
    const { keepaliveMs, rekey } = settings.limits;
    this.deviceId = formatDeviceId(deviceId);
    this.sessionId = toHex(sessionId);
    this.#settings = settings;
    this.#watcher = watcher;
    this.#link =
      'decoder' in result ? new StreamLink(result, settings, this) : new DatagramLink(result, settings, this);
    this.transport = this.#link.kind;
    this.remoteAddress = this.#link.remoteAddress;
    if (keepaliveMs !== undefined || rekey.everyMs !== undefined) this.#takeControl();
  }

  /** Takes the transport over and begins to read; called once. */
  start(): void {
    this.#link.start();
  }

  get state$(): Observable<SessionState> {
    if (!this.#states$) {
      this.#states$ = new ReplaySubject(1);
      this.#states$.next(this.#state);
      if (this.#state === 'closed') this.#states$.complete();
    }
    return this.#states$.asObservable();
  }

  get messages$(): Observable<Uint8Array> {
    return this.#link.inbox.messages$;
  }

  get events$(): Observable<SessionEvent> {
    if (!this.#observed$) {
      this.#observed$ = new Subject();
      if (this.#state === 'closed') this.#observed$.complete();
    }
    return this.#observed$.asObservable();
  }

  get closed(): Promise<CloseInfo> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#closeInfo) resolve(this.#closeInfo);
      else this.#resolveClosed = resolve;
    });
    return this.#closed;
  }

  send(data: Uint8Array | string, { signal }: SendOptions = NO_OPTIONS): Promise<void> {
    return (signal === undefined ? this.#sendAtOnce(data) : undefined) ?? this.#sendInTurn(data, signal);
  }

  #sendInTurn(data: Uint8Array | string, signal: AbortSignal | undefined): Promise<void> {
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
      this.onEvent({ type: 'send-refused', error: error as UsmpError });
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
    return this.#state === 'open' ? this.#takeControl().heartbeat.ping(signal) : this.#rejectClosed();
  }

  rekey({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#state === 'open' ? this.#takeControl().rekeying.rekey(signal) : this.#rejectClosed();
  }

  async bye(): Promise<void> {
    this.beginClose(this.#settings.limits.closeTimeoutMs);
    await this.closed;
  }

  /**
   * `bye` with a limit in milliseconds, after which the connection is closed whatever is left to send. Of several calls the
   * limit that passes first counts.
   */
  beginClose(limitMs: number): void {
    if (this.#state === 'closed') return;
    this.#closeLimits ??= new Subscription();
    this.#closeLimits.add(this.#settings.scheduler.schedule(() => this.#closeOverdue(limitMs), limitMs));
    if (this.#state === 'closing') return;
    this.#enter('closing');
    this.#control?.stop();
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

  /** Part of LinkObserver. */
  get isWatched(): boolean {
    return this.#observed$?.observed === true || this.#watcher?.wantsMessages === true;
  }

  /** Part of LinkObserver. */
  onEvent(event: SessionEvent): void {
    this.#watcher?.onEvent(this, event);
    this.#observed$?.next(event);
  }

  /** Part of LinkObserver. */
  onOpened({ rekeyedBy }: ReceivedFrame): void {
    if (rekeyedBy.length === 0) return;
    this.#control?.rekeying.keysChanged();
    for (const initiator of rekeyedBy) this.onEvent({ type: 'rekeyed', initiator });
  }

  /** Part of LinkObserver: what a frame asks for beside its place in a message. */
  onAccepted({ type }: OpenedFrame, isAnswered: boolean): void {
    this.#progressed();
    if (type === PacketType.PING) {
      if (isAnswered) this.#link.pong();
      this.onEvent({ type: 'ping' });
    } else if (type === PacketType.PONG) {
      const roundTripMs = this.#control?.heartbeat.pong();
      if (roundTripMs !== undefined) this.onEvent({ type: 'pong', roundTripMs });
    } else if (type === PacketType.BYE) {
      this.onEnd({ origin: this.#link.byeSent ? 'local' : 'remote' });
    }
  }

  /** Part of LinkObserver. */
  onSealed(message: Uint8Array | undefined): void {
    if (message === undefined) return;
    if (this.isWatched) this.onEvent(new SessionMessageEvent('sent', message));
    this.#progressed();
  }

  /** Part of LinkObserver: the end, once, in the order that design.md gives: timers, transport, observables, `closed`, keys. */
  onEnd(info: CloseInfo): void {
    if (this.#state === 'closed') return;
    this.#closeInfo = info;
    // Whoever is told below finds the session closed.
    this.#state = 'closed';
    this.#closeLimits?.unsubscribe();
    this.#control?.end(endError(info));
    this.#link.close(info);
    this.#link.inbox.end(info.error ?? 'bye');
    this.#enter('closed');
    this.#states$?.complete();
    this.onEvent({ type: 'closed', info });
    this.#observed$?.complete();
    this.#resolveClosed?.(info);
    this.#link.wipe();
  }

  #enter(state: SessionState): void {
    this.#state = state;
    this.#watcher?.onState(this, state);
    this.#states$?.next(state);
  }

  #takeControl(): Control {
    this.#control ??= new Control(this.#link, this.#settings.scheduler, this.#settings.limits);
    return this.#control;
  }

  /** A frame was sealed or opened, which may make a rekeying due. None begins while the session closes. */
  #progressed(): void {
    if (this.#control) this.#control.rekeying.progressed();
    else if (this.#state === 'open' && this.#link.framesUnderKeys >= this.#settings.limits.rekey.everyFrames) {
      this.#takeControl().rekeying.progressed();
    }
  }

  #closeOverdue(limitMs: number): void {
    if (this.#link.byeSent) return this.onEnd({ origin: 'local' });
    const error = new TimeoutError(
      'TIMEOUT_SEND',
      `the peer did not read what was sent before BYE within ${limitMs} ms`,
    );
    this.onEnd({ origin: error.origin, error });
  }

  #rejectClosed(): Promise<never> {
    return abortable(undefined, (_resolve, reject) => {
      reject(new ConnectionClosedError('CLOSED', `the session is ${this.#state}`, { origin: 'local' }));
      return () => {};
    });
  }
}
