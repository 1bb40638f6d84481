import {
  BehaviorSubject,
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  merge,
  share,
  Subject,
  switchMap,
  throwError,
  type Observable,
} from 'rxjs';
import { nobleCrypto } from '../crypto/noble.js';
import { checkDurationMs } from '../protocol/check-option.js';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { formatDeviceId } from '../protocol/device-id.js';
import { ConnectionClosedError, InvalidStateError, type UsmpError } from '../protocol/errors.js';
import { abortable } from '../session/abort.js';
import { encodeMessage } from '../session/encode-message.js';
import type { SessionEvent } from '../session/session-event.js';
import type { ReceiveOptions, SendOptions, Session } from '../session/session.js';
import type { UsmpSession } from '../session/usmp-session.js';
import { Waiters } from '../session/waiters.js';
import { Backlog, type OutgoingMessage, type Settle } from './backlog.js';
import { clientSettings, type ClientOptions, type ClientSettings } from './client-options.js';
import type { ConnectionState } from './connection-state.js';
import { Connector } from './connector.js';

/** Ended sessions whose unread messages are kept; each is bounded by the limits of its inbox. */
const MAX_UNREAD_SESSIONS = 4;

/**
 * A device's side of USMP that stays connected: it dials, shakes hands, keeps the session alive and starts again with
 * back-off for ever, whatever ends it, a BYE of the server included. Only `close` and a refusal for good (wrong PSK, wrong
 * version: three times in a row) end that.
 */
export class UsmpClient implements AsyncIterable<Uint8Array> {
  /** `00:11:22:33:44:55` */
  readonly deviceId: string;
  /** The present state first; completes after `closed`. Never errors. */
  readonly connection$: Observable<ConnectionState>;
  /** The session that stands, then every new one. Completes at `close`; errors once with the UsmpError of a refusal for good. */
  readonly session$: Observable<Session>;
  /** The messages of all sessions in order, shared. Completes at `close`; errors once with the error of a refusal for good. */
  readonly messages$: Observable<Uint8Array>;
  /** What happens in the session that stands. Hot; completes at `close`. Never errors. */
  readonly events$: Observable<SessionEvent>;

  readonly #settings: ClientSettings;
  readonly #connector: Connector;
  readonly #backlog: Backlog;
  readonly #states$ = new BehaviorSubject<ConnectionState<UsmpSession>>({ name: 'idle' });
  readonly #events$ = new Subject<SessionEvent>();
  readonly #waiters: Waiters<UsmpSession>;
  #sessions$ = new Subject<UsmpSession>();
  #unread: UsmpSession[] = [];
  #closed: Promise<void> | undefined;

  /** @throws ConfigError that names the option */
  constructor(options: ClientOptions, defaultCrypto: CryptoProvider = nobleCrypto) {
    this.#settings = clientSettings(options, defaultCrypto);
    this.deviceId = formatDeviceId(this.#settings.deviceId);
    this.#waiters = new Waiters(this.#settings.scheduler);
    this.#backlog = new Backlog(this.#settings.limits.maxOutboxBytes);
    this.#connector = new Connector(this.#settings, {
      onState: (state) => this.#enter(state),
      onSession: (session) => this.#take(session),
    });
    const sessions$ = defer(() => concat(from(this.#standing()), this.#nextSessions()));
    this.connection$ = this.#states$.asObservable();
    this.session$ = sessions$;
    this.messages$ = defer(() => concat(from(this.#unreadSessions()), sessions$)).pipe(
      // The end of one session is not the end of the client's messages; two consumers at once still are a mistake.
      concatMap((session) =>
        session.messages$.pipe(
          catchError((error: unknown) => (error instanceof InvalidStateError ? throwError(() => error) : EMPTY)),
        ),
      ),
      share(),
    );
    this.events$ = merge(
      this.#events$,
      this.#states$.pipe(switchMap((state) => (state.name === 'connected' ? state.session.events$ : EMPTY))),
    ).pipe(share());
  }

  /**
   * Starts to connect, unless that was done, and resolves with the session that stands or the next one. Connecting goes on
   * until `close`, also when `signal` ends the wait.
   * @throws the error of a refusal for good, ConnectionClosedError after `close`, InvalidStateError `ABORTED`
   */
  connect({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Session> {
    const { name } = this.#states$.value;
    if (!signal?.aborted && (name === 'idle' || name === 'failed')) this.#connector.start();
    return this.#nextSession({ signal }, 0);
  }

  /**
   * Sends a message of 0 to 1808 bytes in the session that stands, or in the next one. Resolves as `Session.send` does. What
   * was not sent at all when a session ends goes with the next one; what was under way then is rejected, since nobody knows
   * whether it arrived.
   * @throws PayloadError, InvalidStateError `OUTBOX_FULL`, `ABORTED`, or `WRONG_STATE` before `connect`, the UsmpError that
   *   ended the session or the client
   */
  send(data: Uint8Array | string, { signal }: SendOptions = {}): Promise<void> {
    return abortable(signal, (resolve, reject) => {
      try {
        const message = encodeMessage(data);
        const reason = this.#whyNoSession();
        if (reason) throw reason;
        return this.#dispatch(message, (error) => (error ? reject(error) : resolve()));
      } catch (error) {
        this.#events$.next({ type: 'send-refused', error: error as UsmpError });
        throw error;
      }
    });
  }

  /**
   * The next message of whatever session. `timeoutMs` limits silence, time without a connection included.
   * @throws TimeoutError `TIMEOUT_RECV`, InvalidStateError `TWO_CONSUMERS`, `ABORTED`, or `WRONG_STATE` before `connect`, and
   *   once nothing is left: the error of a refusal for good, ConnectionClosedError after `close`
   */
  recv(options: ReceiveOptions = {}): Promise<Uint8Array> {
    const received = this.#recv(options, this.#settings.scheduler.now());
    received.catch(() => {});
    return received;
  }

  /** Messages until `close`; throws the error of a refusal for good. Leaving the loop closes nothing. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const next = await this.recv().catch((error: unknown) => {
        if (this.#states$.value.name !== 'closed') throw error;
      });
      if (!next) return;
      yield next;
    }
  }

  /** Ends the session with BYE and connects no more. Resolves when all is closed; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const [session] = this.#standing();
    this.#connector.stop();
    this.#enter({ name: 'closed' });
    await session?.bye();
  }

  /** The sessions to come, up to the end of the client; where that was, the end itself. */
  #nextSessions(): Observable<UsmpSession> {
    const state = this.#states$.value;
    if (state.name === 'failed') return throwError(() => state.error);
    return state.name === 'closed' ? EMPTY : this.#sessions$;
  }

  /** What identifies the client; a log line must not walk through its streams. */
  toJSON(): object {
    return { deviceId: this.deviceId };
  }

  /** The session that stands, if any. */
  #standing(): UsmpSession[] {
    const state = this.#states$.value;
    return state.name === 'connected' ? [state.session] : [];
  }

  #unreadSessions(): UsmpSession[] {
    this.#unread = this.#unread.filter((session) => !session.exhausted);
    return this.#unread;
  }

  #take(session: UsmpSession): void {
    this.#enter({ name: 'connected', session });
    this.#sessions$.next(session);
    session.start();
    this.#backlog.drain(
      () => session.isOpen,
      (outgoing) => this.#handOver(outgoing, session),
    );
    for (const waiter of this.#waiters.takeAll()) waiter.resolve(session);
  }

  #enter(state: ConnectionState<UsmpSession>): void {
    const [left] = this.#standing();
    if (left) this.#keepUnread(left);
    if (state.name === 'failed') this.#end(state, state.error, state.error);
    else if (state.name === 'closed') this.#end(state, closed('CLOSED'), closed('CLOSED_BEFORE_SEND'));
    else this.#states$.next(state);
  }

  /** Ends what hangs on connecting; who is told of the state may connect anew, and that is not to be ended. */
  #end(
    state: ConnectionState<UsmpSession> & { name: 'failed' | 'closed' },
    reason: UsmpError,
    unsent: UsmpError,
  ): void {
    const [sessions$, waiters, backlog] = [this.#sessions$, this.#waiters.takeAll(), this.#backlog.takeAll()];
    this.#sessions$ = new Subject();
    this.#states$.next(state);
    for (const waiter of waiters) waiter.reject(reason);
    for (const { settle } of backlog) settle(unsent);
    if (state.name === 'failed') return sessions$.error(state.error);
    sessions$.complete();
    this.#events$.complete();
    this.#states$.complete();
  }

  /** What a session leaves unread is still there for `recv` and `messages$`, within bounds. */
  #keepUnread(session: UsmpSession): void {
    const unread = this.#unreadSessions();
    if (session.exhausted) return;
    unread.push(session);
    if (unread.length <= MAX_UNREAD_SESSIONS) return;
    unread.shift();
    this.#events$.next({ type: 'dropped', reason: 'unread-session' });
  }

  /** Hands a message to the session that stands, or keeps it; messages never overtake each other. */
  #dispatch(message: Uint8Array, settle: Settle): () => void {
    const [session] = this.#standing();
    if (!session?.isOpen || !this.#backlog.isEmpty) {
      const outgoing = this.#backlog.add(message, settle);
      return () => outgoing.takeBack();
    }
    const outgoing: OutgoingMessage = { message, settle, takeBack: () => {} };
    this.#handOver(outgoing, session);
    return () => outgoing.takeBack();
  }

  /** What the session did not send at all when it ends goes back to the backlog. */
  #handOver(outgoing: OutgoingMessage, session: UsmpSession): void {
    const { settle } = outgoing;
    outgoing.takeBack = session.enqueue(outgoing.message, (error, unsent) => {
      if (!unsent || this.#whyNoSession()) return settle(error);
      this.#backlog.put(Object.assign(outgoing, { message: unsent }));
    });
  }

  async #recv(options: ReceiveOptions, calledMs: number): Promise<Uint8Array> {
    if (options.timeoutMs !== undefined) checkDurationMs('timeoutMs', options.timeoutMs);
    let silentSinceMs = calledMs;
    for (;;) {
      const session = this.#unreadSessions()[0] ?? (await this.#nextSession(options, silentSinceMs));
      try {
        return await session.recvSince(silentSinceMs, options);
      } catch (error) {
        if (!session.exhausted) throw error;
        silentSinceMs = Math.max(silentSinceMs, session.lastHeardMs);
      }
    }
  }

  /** The session that stands or the next one. */
  #nextSession({ timeoutMs, signal }: ReceiveOptions, silentSinceMs: number): Promise<UsmpSession> {
    return abortable(signal, (resolve, reject) => {
      const reason = this.#whyNoSession();
      if (reason) throw reason;
      const [session] = this.#standing();
      if (session) {
        resolve(session);
        return () => {};
      }
      const silentMs = (): number => this.#settings.scheduler.now() - silentSinceMs;
      return this.#waiters.add({ resolve, reject }, { timeoutMs, silentMs });
    });
  }

  /** Why no session stands and none is on its way. */
  #whyNoSession(): UsmpError | undefined {
    const state = this.#states$.value;
    switch (state.name) {
      case 'idle':
        return new InvalidStateError('WRONG_STATE', 'call connect() first');
      case 'failed':
        return state.error;
      case 'closed':
        return closed('CLOSED');
      default:
        return undefined;
    }
  }
}

const closed = (code: 'CLOSED' | 'CLOSED_BEFORE_SEND'): ConnectionClosedError =>
  new ConnectionClosedError(code, 'the client was closed', { origin: 'local' });
