import {
  BehaviorSubject,
  defer,
  ReplaySubject,
  retry,
  tap,
  throwError,
  timer,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { BridgeState } from './bridge-connection.js';
import { bridgeError, type BridgeError } from './bridge-error.js';
import type { BridgeSettings } from './bridge-options.js';
import type { Link } from './link.js';
import { openLink } from './open-link.js';

/** A connection that stood this long ends a row of failures. */
const STABLE_MS = 10_000;
const FATAL = ['UNAUTHORIZED', 'SUBPROTOCOL'];

/** The link that stands, or why none does. */
export type LinkOrReason = Link | BridgeError;

/** Keeps one link standing: opens it at once, and again with back-off whenever it ends. */
export class Connector {
  /** The present state first, after the end too; completes after `failed` and `closed`. */
  readonly state$: Observable<BridgeState>;
  /** What stands now, and each change; completes with `state$`. */
  readonly link$: Observable<LinkOrReason>;

  readonly #settings: BridgeSettings;
  readonly #states$ = new ReplaySubject<BridgeState>(1);
  readonly #links$ = new BehaviorSubject<LinkOrReason>(bridgeError('DISCONNECTED', 'the bridge has not answered yet'));
  readonly #attempts: Subscription;
  #openedMs = Infinity;

  constructor(settings: BridgeSettings) {
    this.#settings = settings;
    this.state$ = this.#states$.asObservable();
    this.link$ = this.#links$.asObservable();
    this.#attempts = defer(() => this.#attempt())
      .pipe(retry({ delay: (error) => this.#pause(error as BridgeError) }))
      .subscribe({ error: (error: unknown) => this.#fail(error as BridgeError) });
  }

  /** What stands now. */
  get link(): LinkOrReason {
    return this.#links$.value;
  }

  close(): void {
    this.#attempts.unsubscribe();
    this.#end({ name: 'closed' }, bridgeError('DISCONNECTED', 'the connection was closed here'));
  }

  #attempt(): Observable<Link> {
    this.#openedMs = Infinity;
    this.#states$.next({ name: 'connecting' });
    return openLink(this.#settings).pipe(tap((link) => this.#opened(link)));
  }

  #opened(link: Link): void {
    this.#openedMs = this.#settings.scheduler.now();
    this.#links$.next(link);
    this.#states$.next({ name: 'open', role: link.role });
  }

  /** Emits when it is time for the next attempt; errors where none is any use. */
  #pause(error: BridgeError): Observable<unknown> {
    const { backoff, scheduler } = this.#settings;
    if (FATAL.includes(error.code)) return throwError(() => error);
    if (scheduler.now() - this.#openedMs >= STABLE_MS) backoff.reset();
    const delayMs = backoff.nextDelayMs();
    this.#links$.next(error);
    this.#states$.next({ name: 'waiting', delayMs, error });
    return timer(delayMs, scheduler);
  }

  #fail(error: BridgeError): void {
    this.#end({ name: 'failed', error }, error);
  }

  #end(state: BridgeState, reason: BridgeError): void {
    this.#links$.next(reason);
    this.#states$.next(state);
    this.#links$.complete();
    this.#states$.complete();
  }
}
