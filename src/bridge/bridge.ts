/* eslint rxjs-x/no-ignored-error: off -- no observable that is subscribed here ever errors */
import { Subject, type Observable, type Subscription } from 'rxjs';
import { InvalidStateError } from '../protocol/errors.js';
import type { BoundAddress } from '../server/listening.js';
import type { UsmpServer } from '../server/server.js';
import type { BridgeActivity } from './bridge-activity.js';
import { bridgeSettings, type BridgeOptions, type BridgeSettings } from './bridge-options.js';
import { Connection, type ConnectionState } from './connection.js';
import { Entrance, type Arrival } from './entrance.js';
import { Feed } from './feed.js';
import { MIN_SAMPLE_MS } from './protocol.js';

/** A server's sessions as a service for dashboards: docs/bridge.md. */
export interface Bridge extends AsyncDisposable {
  /** Dashboards that showed their token and are connected. */
  readonly clients: number;
  /** What dashboards do, for logs. Hot; completes when `close` is done; never errors. */
  readonly events$: Observable<BridgeActivity>;
  /**
   * Lets dashboards in. Resolves with the bound address of an own port, with undefined for an existing server.
   * @throws ConfigError `CONFIG_ADDRESS`, InvalidStateError `WRONG_STATE` where it listens already or is closed
   */
  listen(): Promise<BoundAddress | undefined>;
  /** Closes all connections with GOING_AWAY. Resolves when they are closed; never rejects. The server lives on. */
  close(): Promise<void>;
}

/**
 * Watches a server from now on; dashboards come in after `listen`. Watching takes no message away from who serves the sessions, and
 * does not replace it: an inbox that nobody empties fills up.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export const bridge = (server: UsmpServer, options: BridgeOptions): Bridge =>
  new ServerBridge(server, bridgeSettings(options));

/** The one tick of the bridge: every sample, rate and limit in time is a matter of counting it. */
const TICK_MS = MIN_SAMPLE_MS;

class ServerBridge implements Bridge {
  readonly events$: Observable<BridgeActivity>;
  readonly #settings: BridgeSettings;
  readonly #server: UsmpServer;
  readonly #feed: Feed;
  readonly #entrance: Entrance;
  readonly #connections = new Set<Connection>();
  readonly #activities$ = new Subject<BridgeActivity>();
  readonly #watching: Subscription;
  #ticking: Subscription;
  #listening: Promise<BoundAddress | undefined> | undefined;
  #closed: Promise<void> | undefined;
  #onEmpty: () => void = () => {};

  constructor(server: UsmpServer, settings: BridgeSettings) {
    const { scheduler, maxClients, maxDevices } = settings;
    this.#settings = settings;
    this.#server = server;
    this.events$ = this.#activities$.asObservable();
    this.#feed = new Feed(server, maxDevices, scheduler.now());
    this.#entrance = new Entrance({
      settings,
      // Some are here, some are about to show a token, some about to go.
      isFull: () => this.#connections.size >= 3 * maxClients,
      onArrival: (arrival) => this.#arrived(arrival),
      onRefused: (reason, remoteAddress) => this.#activities$.next({ type: 'client-refused', remoteAddress, reason }),
    });
    this.#watching = server.events$.subscribe((event) => this.#feed.observe(event, scheduler.now()));
    this.#ticking = this.#nextTick();
  }

  get clients(): number {
    return this.#count('open');
  }

  async listen(): Promise<BoundAddress | undefined> {
    if (this.#closed) throw new InvalidStateError('WRONG_STATE', 'the bridge is closed');
    if (this.#listening) throw new InvalidStateError('WRONG_STATE', 'the bridge listens already');
    this.#listening = this.#entrance.listen();
    try {
      return await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #arrived(arrival: Arrival): void {
    const { maxClients } = this.#settings;
    const connection = new Connection(arrival, {
      settings: this.#settings,
      server: this.#server,
      feed: this.#feed,
      hasRoom: () => this.#count('open') < maxClients,
      onActivity: (activity) => this.#activities$.next(activity),
      onClosed: () => this.#left(connection),
    });
    this.#connections.add(connection);
    if (this.#count('unauthenticated') > maxClients) connection.close('LIMIT', 'too many clients');
    if (this.#count('closing') > maxClients) connection.terminate();
  }

  #left(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty();
  }

  #nextTick(): Subscription {
    return this.#settings.scheduler.schedule(() => {
      this.#ticking = this.#nextTick();
      this.#tick(this.#settings.scheduler.now());
    }, TICK_MS);
  }

  #tick(nowMs: number): void {
    this.#feed.tick(nowMs);
    for (const connection of this.#connections) connection.tick(nowMs);
  }

  async #close(): Promise<void> {
    await this.#listening?.catch(() => {});
    this.#entrance.close();
    await this.#allGone();
    this.#ticking.unsubscribe();
    this.#watching.unsubscribe();
    this.#activities$.complete();
  }

  #allGone(): Promise<void> {
    for (const connection of this.#connections) connection.close('GOING_AWAY', 'the gateway stops');
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #count(state: ConnectionState): number {
    let count = 0;
    for (const connection of this.#connections) if (connection.state === state) count++;
    return count;
  }
}
