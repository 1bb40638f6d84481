/* eslint rxjs-x/no-ignored-error: off -- no observable that is subscribed here ever errors */
import { emitWarning } from 'node:process';
import { filter, Subject, type Observable, type Subscription } from 'rxjs';
import { checkDurationMs, checkFunction, checkOptions } from '../protocol/check-option.js';
import { formatDeviceId, normalizeDeviceId } from '../protocol/device-id.js';
import { InvalidStateError } from '../protocol/errors.js';
import type { HandshakeResult } from '../session/handshake.js';
import type { Session } from '../session/session.js';
import { UsmpSession, type SessionWatcher } from '../session/usmp-session.js';
import { formatPeerAddress } from '../transport/datagram.js';
import { shareOfAddress, type SessionRoom } from './admission.js';
import { DatagramRouter } from './datagram-router.js';
import {
  boundAddresses,
  closeAll,
  listenersOf,
  openAll,
  type AnyListener,
  type BoundAddresses,
  type Entrance,
  type ListenOptions,
} from './listening.js';
import { pskSource, type PskSource } from './psk-source.js';
import { Reception } from './reception.js';
import { count, NO_COUNTS, type ServerCounters } from './server-counters.js';
import type { ConnectionOrigin, HandshakeFailure, ServerEvent } from './server-event.js';
import { serverSettings, type ServerOptions, type ServerSettings } from './server-options.js';
import { runHandler, type SessionHandler } from './session-handler.js';
import { SessionRegistry } from './session-registry.js';

export interface CloseOptions {
  /** How long sessions may take for what is to be sent and for BYE; the default is the option `closeTimeoutMs`. */
  readonly graceMs?: number;
}

/** Takes connections, authenticates them, and keeps their sessions. */
export class UsmpServer implements AsyncDisposable {
  /**
   * Each session, before it has read anything. Hot: who subscribes later sees later sessions. Completes when `close` is done;
   * never errors.
   */
  readonly sessions$: Observable<Session>;
  /** The connections that were let in and did not come to a session. Hot; completes as `sessions$` does; never errors. */
  readonly handshakeFailures$: Observable<HandshakeFailure>;
  /** Everything that happens in the server and in all its sessions. Hot; completes as `sessions$` does; never errors. */
  readonly events$: Observable<ServerEvent>;

  readonly #settings: ServerSettings;
  readonly #psks: PskSource;
  readonly #reception: Reception;
  readonly #registry = new SessionRegistry();
  /** One for all sessions, which would else need several subscriptions each. */
  readonly #watcher: SessionWatcher = this.#makeWatcher();
  readonly #opened$ = new Subject<UsmpSession>();
  readonly #observed$ = new Subject<ServerEvent>();
  #counters = NO_COUNTS;
  #watchingPsks: Subscription | undefined;
  /** The entrances of each `listen`, and when they are open. */
  readonly #listening = new Map<readonly Entrance[], Promise<unknown>>();
  #closed: Promise<void> | undefined;
  #onDrained: () => void = () => {};

  /** @throws ConfigError that names the option */
  constructor(options: ServerOptions) {
    this.#settings = serverSettings(checkOptions('options', options));
    this.#psks = pskSource(options.psk);
    this.#reception = new Reception({
      settings: this.#settings,
      psks: this.#psks,
      roomFor: (deviceId) => this.#roomFor(deviceId),
      onEvent: (event) => this.#emit(event),
      onAuthenticated: (result, origin) => this.#open(result, origin),
    });
    this.sessions$ = this.#opened$.asObservable();
    this.events$ = this.#observed$.asObservable();
    this.handshakeFailures$ = this.#observed$.pipe(filter((event) => event.type === 'handshake-failed'));
  }

  /** The sessions that are not closed, by session id, as they are now. */
  get sessions(): ReadonlyMap<string, Session> {
    return this.#registry.snapshot;
  }

  /**
   * The newest open session of a device.
   * @throws ConfigError `CONFIG_DEVICE_ID`
   */
  session(deviceId: string): Session | undefined {
    return this.#registry.openOf(normalizeDeviceId(deviceId)).at(-1);
  }

  /** What was counted until now; it does not change later. */
  get counters(): ServerCounters {
    return this.#counters;
  }

  /**
   * Starts to accept; may be called again for more addresses. Resolves with what was bound, as in
   * `const { tcp } = await server.listen({ tcp: { port: 0 } })`.
   * @throws ConfigError `CONFIG_ADDRESS` (then nothing that this call opened stays open) or `CONFIG_OPTION`,
   *   InvalidStateError `WRONG_STATE` after `close`
   */
  async listen<Options extends ListenOptions>(options: Options): Promise<BoundAddresses<Options>> {
    this.#checkOpen();
    const entrances = listenersOf(checkOptions('listen', options)).map((listener) => this.#entrance(listener));
    const opening = openAll(entrances, (transport) => this.#reception.accept(transport));
    this.#listening.set(entrances, opening);
    try {
      const addresses = await opening;
      this.#checkOpen();
      this.#watchingPsks ??= this.#psks.events$.subscribe({ next: (event) => this.#emit(event) });
      return boundAddresses(options, addresses);
    } catch (error) {
      this.#listening.delete(entrances);
      throw error;
    }
  }

  /**
   * Serves each new session with a handler. Returns what ends that for later sessions.
   * @throws ConfigError `CONFIG_OPTION` where it is no function
   */
  onSession(handler: SessionHandler): () => void {
    checkFunction('onSession', handler);
    const subscription = this.#opened$.subscribe({ next: (session) => void this.#serve(handler, session) });
    return () => subscription.unsubscribe();
  }

  /**
   * Accepts nothing more, abandons handshakes, lets all sessions send what waits and BYE, and completes the observables.
   * Resolves when all is closed; never rejects. A second call waits for the first.
   * @throws ConfigError `CONFIG_OPTION` at once, where `graceMs` is no time
   */
  close({ graceMs = this.#settings.limits.closeTimeoutMs }: CloseOptions = {}): Promise<void> {
    const limitMs = checkDurationMs('graceMs', graceMs);
    if (this.#closed) return this.#closed;
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    this.#closed = Promise.all([drained, this.#stopListening()]).then(() => {});
    this.#reception.close();
    this.#registry.closeAll(limitMs);
    this.#completeWhenDrained();
    return this.#closed;
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #entrance(listener: AnyListener): Entrance {
    if (listener.kind !== 'udp') return listener;
    const { crypto, scheduler, admission } = this.#settings;
    return new DatagramRouter({
      listener,
      crypto,
      scheduler,
      retriesPerSecond: shareOfAddress(admission),
      onDropped: (reason, from) =>
        this.#emit({
          type: 'datagram-dropped',
          reason,
          transport: 'udp',
          remoteAddress: formatPeerAddress(from),
        }),
    });
  }

  #roomFor(deviceId: string): SessionRoom {
    const replaces = this.#settings.sessionPolicy === 'replace' && this.#registry.openOf(deviceId).length > 0;
    return { sessions: this.#registry.openCount, replaces };
  }

  /** Whoever observes sessions has a new one before it reads its first frame, so that nothing is missed. */
  #open(result: HandshakeResult, origin: ConnectionOrigin): void {
    const { sessionPolicy, limits, admission } = this.#settings;
    const older = this.#registry.openOf(formatDeviceId(result.established.deviceId));
    if (sessionPolicy === 'reject' && older.length > 0) return this.#reject(result, 'has-session', origin);
    const replaced = sessionPolicy === 'replace' ? older : [];
    if (replaced.length === 0 && this.#registry.openCount >= admission.maxSessions) {
      return this.#reject(result, 'session-limit', origin);
    }
    const session = new UsmpSession(result, this.#settings, this.#watcher);
    this.#registry.add(session);
    for (const old of replaced) old.beginClose(limits.closeTimeoutMs);
    this.#emit({ type: 'session-opened', session, replaced });
    this.#opened$.next(session);
    session.start();
  }

  /** With BYE: its client would take a mere close for a wrong PSK. */
  #reject(result: HandshakeResult, reason: 'has-session' | 'session-limit', origin: ConnectionOrigin): void {
    const session = new UsmpSession(result, this.#settings, {
      wantsMessages: false,
      onState: () => {},
      onEvent: (rejected, { type }) => {
        if (type !== 'closed') return;
        this.#registry.removeRejected(rejected);
        this.#completeWhenDrained();
      },
    });
    this.#registry.addRejected(session);
    this.#emit({ type: 'session-rejected', deviceId: session.deviceId, reason, ...origin });
    session.start();
    session.beginClose(this.#settings.limits.closeTimeoutMs);
  }

  #makeWatcher(): SessionWatcher {
    const isObserved = (): boolean => this.#observed$.observed;
    return {
      get wantsMessages() {
        return isObserved();
      },
      onState: (session, state) => {
        if (state !== 'open') this.#registry.noLongerOpen(session);
        if (state === 'closed') this.#registry.remove(session);
      },
      onEvent: (session, event) => {
        if (event.type === 'closed') {
          this.#emit({ type: 'session-closed', session, info: event.info });
          this.#completeWhenDrained();
        } else if (event.type === 'dropped' || isObserved()) this.#emit({ type: 'session', session, event });
      },
    };
  }

  async #serve(handler: SessionHandler, session: UsmpSession): Promise<void> {
    const failure = await runHandler(handler, session);
    if (!failure) return;
    // A mistake of the program that nobody would see otherwise.
    if (!this.#observed$.observed) emitWarning(`a handler of onSession failed: ${String(failure.error)}`, 'UsmpServer');
    this.#emit({ type: 'handler-failed', session, error: failure.error });
  }

  #emit(event: ServerEvent): void {
    this.#counters = count(this.#counters, event);
    this.#observed$.next(event);
  }

  #stopListening(): Promise<unknown> {
    return Promise.allSettled(Array.from(this.#listening, ([entrances, open]) => open.then(() => closeAll(entrances))));
  }

  /** All observables end together, when the last session has told its end. */
  #completeWhenDrained(): void {
    if (!this.#closed || !this.#registry.isEmpty) return;
    this.#watchingPsks?.unsubscribe();
    this.#opened$.complete();
    this.#observed$.complete();
    this.#onDrained();
  }

  #checkOpen(): void {
    if (this.#closed) throw new InvalidStateError('WRONG_STATE', 'the server is closed');
  }
}
