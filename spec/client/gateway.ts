import { parsePsk, type UsmpError } from '../../src/protocol/index.js';
import { runServerHandshake } from '../../src/session/handshake.js';
import { sessionLimits, type SessionLimitOptions } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import { testEnvironment } from '../../src/testing/environment.js';
import { memoryNetwork } from '../../src/testing/memory-network.js';
import type { VirtualTime } from '../../src/testing/virtual-time.js';
import { UsmpClient } from '../../src/client/usmp-client.js';
import type { ClientOptions } from '../../src/client/client-options.js';
import type { MemoryLinkOptions } from '../../src/transport/memory.js';
import type { Transport } from '../../src/transport/transport.js';

export const PSK = 'the pre-shared key of the tests';
export const DEVICE_ID = '00:11:22:33:44:55';

/** A client, and the bare other side that its tests want: the sessions that came, and what was refused. */
export class Bench {
  readonly environment: {
    readonly crypto: ReturnType<typeof testEnvironment>['crypto'];
    readonly scheduler: VirtualTime;
  };
  readonly network: ReturnType<typeof memoryNetwork>;
  readonly sessions: UsmpSession[] = [];
  readonly refusals: UsmpError[] = [];
  /** What the gateway does with a new connection; the default is the server's side of a handshake. */
  accept: (transport: Transport) => void = (transport) => this.shakeHands(transport);
  psk = PSK;
  dials = 0;

  readonly #limits: SessionLimitOptions;

  constructor(link: MemoryLinkOptions = {}, limits: SessionLimitOptions = {}) {
    this.environment = testEnvironment();
    this.network = memoryNetwork({ scheduler: this.environment.scheduler, ...link });
    this.#limits = limits;
    void this.network.listener('gateway').listen((transport) => {
      this.dials++;
      this.accept(transport);
    });
  }

  get time(): VirtualTime {
    return this.environment.scheduler;
  }

  /** The newest session, as the gateway sees it. */
  get session(): UsmpSession {
    const newest = this.sessions.at(-1);
    if (!newest) throw new Error('no session stands');
    return newest;
  }

  client(options: Partial<ClientOptions> = {}): UsmpClient {
    return new UsmpClient({
      ...this.environment,
      transport: this.network.dialer('gateway'),
      deviceId: DEVICE_ID,
      psk: PSK,
      ...options,
    });
  }

  /** A client with a session. */
  async connected(options: Partial<ClientOptions> = {}): Promise<UsmpClient> {
    const client = this.client(options);
    void client.connect();
    await this.time.advance(1);
    return client;
  }

  shakeHands(transport: Transport): void {
    const { crypto, scheduler } = this.environment;
    runServerHandshake(transport, () => [parsePsk(this.psk)], { crypto, scheduler, timeoutMs: 10_000 }).subscribe({
      next: (result) => {
        const limits = sessionLimits(this.#limits, { idleTimeoutMs: 60_000, keepaliveMs: undefined });
        const session = new UsmpSession(result, { crypto, suite: 'aes-256-gcm', scheduler, limits });
        this.sessions.push(session);
        session.start();
      },
      error: (error: unknown) => this.refusals.push(error as UsmpError),
    });
  }
}

/** The names of the states that a client goes through, from now on. */
export function statesOf(client: UsmpClient): string[] {
  const names: string[] = [];
  client.connection$.subscribe({ next: ({ name }) => names.push(name), complete: () => names.push('|') });
  return names;
}

const decoder = new TextDecoder();
export const text = (bytes: Uint8Array): string => decoder.decode(bytes);

/** How a promise ended, without waiting for it. */
export function outcomeOf<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const outcome: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return outcome;
}
