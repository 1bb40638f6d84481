import { concatMap, map, Subscription, throwError, timeout, type Observable } from 'rxjs';
import { AuthError, ConnectionClosedError, TimeoutError, UsmpError, VersionError } from '../protocol/errors.js';
import { runClientHandshake } from '../session/handshake.js';
import { UsmpSession } from '../session/usmp-session.js';
import type { AnyTransport } from '../transport/any.js';
import type { ClientSettings } from './client-options.js';
import type { ConnectionState } from './connection-state.js';

/**
 * An answer that means "never" is believed at the third time in a row: it is not authentic, and a gateway that is shut down
 * in the middle of a handshake looks the same. On UDP it is never believed, since anybody can forge it.
 */
const REFUSALS_BELIEVED = 3;
/** A session that stood this long ends a row of failures. */
const STABLE_MS = 10_000;

export interface ConnectorEvents {
  readonly onState: (state: ConnectionState<UsmpSession>) => void;
  /** A session that reads nothing yet. */
  readonly onSession: (session: UsmpSession) => void;
}

/** Keeps one session standing: dials, shakes hands, and starts again with back-off whenever it ends. */
export class Connector {
  readonly #settings: ClientSettings;
  readonly #events: ConnectorEvents;
  #attempts = 0;
  #refusals = 0;
  #pending: Subscription | undefined;

  constructor(settings: ClientSettings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** Dials now, unless an attempt or a session stands already. */
  start(): void {
    if (this.#pending) return;
    this.#attempts = 0;
    this.#refusals = 0;
    this.#settings.backoff.reset();
    this.#attempt();
  }

  /** Ends an attempt or a wait; a session that stands is the caller's to end. */
  stop(): void {
    this.#pending?.unsubscribe();
  }

  #attempt(): void {
    // Who is told may stop us, and a dialer may fail within the call: what comes next must not be overwritten.
    const attempt = (this.#pending = new Subscription());
    this.#events.onState({ name: 'connecting', attempt: ++this.#attempts });
    if (attempt.closed) return;
    attempt.add(
      this.#open().subscribe({
        next: (session) => this.#opened(session),
        error: (error: unknown) => this.#failed(asUsmpError(error)),
      }),
    );
  }

  #open(): Observable<UsmpSession> {
    const settings = this.#settings;
    const { dialer, deviceId, psk, crypto, scheduler } = settings;
    const tooSlow = (): UsmpError =>
      new TimeoutError('TIMEOUT_CONNECT', `no connection within ${settings.connectTimeoutMs} ms`);
    const transport$: Observable<AnyTransport> = dialer.dial();
    return transport$.pipe(
      timeout({ first: settings.connectTimeoutMs, scheduler, with: () => throwError(tooSlow) }),
      concatMap((transport) =>
        runClientHandshake(transport, deviceId, psk, { crypto, scheduler, timeoutMs: settings.handshakeTimeoutMs }),
      ),
      map((result) => new UsmpSession(result, settings)),
    );
  }

  #opened(session: UsmpSession): void {
    const { scheduler, backoff } = this.#settings;
    const openedMs = scheduler.now();
    this.#refusals = 0;
    this.#pending = session.state$.subscribe({
      complete: () => {
        if (scheduler.now() - openedMs >= STABLE_MS) {
          this.#attempts = 0;
          backoff.reset();
        }
        this.#retry(session.closeInfo?.error);
      },
    });
    this.#events.onSession(session);
  }

  #failed(error: UsmpError): void {
    const { kind } = this.#settings.dialer;
    const refused = kind !== 'udp' && (error instanceof AuthError || error instanceof VersionError);
    this.#refusals = refused ? this.#refusals + 1 : 0;
    if (this.#refusals < REFUSALS_BELIEVED) return this.#retry(error);
    this.#pending = undefined;
    this.#events.onState({ name: 'failed', error });
  }

  #retry(error: UsmpError | undefined): void {
    const { scheduler, backoff } = this.#settings;
    const delayMs = backoff.nextDelayMs();
    this.#pending = scheduler.schedule(() => this.#attempt(), delayMs);
    this.#events.onState({ name: 'waiting', delayMs, ...(error && { error }) });
  }
}

/** A dialer of somebody else may fail with anything. */
const asUsmpError = (error: unknown): UsmpError =>
  error instanceof UsmpError
    ? error
    : new ConnectionClosedError('CONNECT_FAILED', `connecting failed: ${String(error)}`, { cause: error });
