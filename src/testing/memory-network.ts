import { Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import { ConfigError, ConnectionClosedError } from '../protocol/index.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import { memoryTransportPair, type MemoryLinkOptions, type MemoryTransport } from '../transport/memory.js';
import type { Dialer, Listener, Transport } from '../transport/transport.js';

export interface MemoryDialerOptions {
  /** The host part of the address that servers see; by default each dialer is a host of its own. */
  readonly host?: string;
}

/** A network without sockets, on a scheduler: names instead of addresses, and faults on demand. */
export interface MemoryNetwork {
  /** Takes connections for `name`. `listen` rejects with ConfigError `CONFIG_ADDRESS` while another one has the name. */
  listener(name: string): Listener;
  /**
   * Connects to whoever listens on `name` at that time, after one round trip. Errors with ConnectionClosedError
   * `CONNECT_FAILED` where nobody does, or while the network is down. A server sees `host:1`, `host:2`, … as addresses.
   */
  dialer(name: string, options?: MemoryDialerOptions): Dialer;
  /** Breaks all connections; what is under way in them is lost. */
  cutAll(cause?: unknown): void;
  /** Breaks the connections of a name or of a client's `host` or `host:port`. */
  cut(address: string, cause?: unknown): void;
  /** Breaks all connections, and from now on connects nobody. */
  goDown(): void;
  comeUp(): void;
}

/** A network holds no resources and needs no closing. */
export function memoryNetwork(options: MemoryLinkOptions = {}): MemoryNetwork {
  return new Network(options);
}

interface Connection {
  readonly addresses: readonly [client: string, server: string];
  readonly end: MemoryTransport;
}

class Network implements MemoryNetwork {
  readonly #options: MemoryLinkOptions;
  readonly #scheduler: SchedulerLike;
  readonly #listeners = new Map<string, (transport: Transport) => void>();
  #connections: Connection[] = [];
  #hosts = 0;
  readonly #ports = new Map<string, number>();
  #isDown = false;

  constructor(options: MemoryLinkOptions) {
    this.#scheduler = options.scheduler ?? defaultScheduler;
    this.#options = { ...options, scheduler: this.#scheduler };
  }

  listener(name: string): Listener {
    let accepting: ((transport: Transport) => void) | undefined;
    return {
      kind: 'memory',
      listen: (accept) => {
        if (this.#listeners.has(name)) {
          return Promise.reject(new ConfigError('CONFIG_ADDRESS', `${name}: somebody listens already`));
        }
        this.#listeners.set(name, accept);
        accepting = accept;
        return Promise.resolve(name);
      },
      close: () => {
        if (accepting && this.#listeners.get(name) === accepting) this.#listeners.delete(name);
        return Promise.resolve();
      },
    };
  }

  dialer(name: string, { host = `client-${++this.#hosts}` }: MemoryDialerOptions = {}): Dialer {
    return {
      kind: 'memory',
      dial: () => new Observable<Transport>((subscriber) => this.#dial(name, host, subscriber)),
    };
  }

  #dial(name: string, host: string, subscriber: Subscriber<Transport>): () => void {
    const { latencyMs = 0 } = this.#options;
    let ours: MemoryTransport | undefined;
    this.#scheduler.schedule(() => {
      if (subscriber.closed) return;
      const accept = this.#isDown ? undefined : this.#listeners.get(name);
      ours = accept && this.#connect(name, host, accept);
      this.#scheduler.schedule(() => {
        if (!ours) return subscriber.error(refused(name));
        const open = ours;
        ours = undefined;
        if (subscriber.closed) return;
        subscriber.next(open);
        subscriber.complete();
      }, latencyMs);
    }, latencyMs);
    return () => ours?.destroy();
  }

  #connect(name: string, host: string, accept: (transport: Transport) => void): MemoryTransport {
    const port = (this.#ports.get(host) ?? 0) + 1;
    this.#ports.set(host, port);
    const addresses = [`${host}:${port}`, name] as const;
    const [client, server] = memoryTransportPair({ ...this.#options, addresses });
    this.#connections = this.#connections.filter(({ end }) => !end.closed);
    this.#connections.push({ addresses, end: client });
    accept(server);
    return client;
  }

  cutAll(cause?: unknown): void {
    for (const { end } of this.#connections.splice(0)) end.cut(cause);
  }

  cut(address: string, cause?: unknown): void {
    const isMeant = (one: string): boolean => one === address || one.startsWith(`${address}:`);
    for (const { addresses, end } of this.#connections) if (addresses.some(isMeant)) end.cut(cause);
  }

  goDown(): void {
    this.#isDown = true;
    this.cutAll();
  }

  comeUp(): void {
    this.#isDown = false;
  }
}

const refused = (name: string): ConnectionClosedError =>
  new ConnectionClosedError('CONNECT_FAILED', `could not connect to ${name}: nobody is reached there`);
