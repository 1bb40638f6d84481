import { concatMap, firstValueFrom, map, Subscription, tap, type Observable, type SchedulerLike } from 'rxjs';
import { nodeCrypto } from '../../src/crypto/node.js';
import { parseDeviceId, parsePsk, type CryptoProvider } from '../../src/protocol/index.js';
import type { AnyListener } from '../../src/server/listening.js';
import { UsmpServer } from '../../src/server/server.js';
import { defaultScheduler } from '../../src/session/default-scheduler.js';
import { runClientHandshake } from '../../src/session/handshake.js';
import type { Session } from '../../src/session/session.js';
import { sessionLimits, type SessionLimitOptions } from '../../src/session/session-limits.js';
import { UsmpSession } from '../../src/session/usmp-session.js';
import type { VirtualTime } from '../../src/testing/index.js';
import type { AnyDialer, AnyTransport } from '../../src/transport/any.js';

/** Limits of the two sessions; the client sends no PING by itself unless `keepaliveMs` is given. */
export interface PairLimits {
  readonly client?: SessionLimitOptions & { readonly keepaliveMs?: number };
  readonly server?: SessionLimitOptions;
}

/** A client's and a server's session with each other. */
export interface OpenedSessions {
  readonly client: Session;
  readonly server: Session;
  /** Settles as the promise does; where time is virtual, lets it pass until then. */
  readonly wait: <T>(promise: Promise<T>) => Promise<T>;
  /** Ends what is left of them. */
  readonly close: () => Promise<void>;
}

interface Way {
  readonly listener: AnyListener;
  /** Dials the address that the listener has bound. */
  readonly dialer: (address: string) => AnyDialer;
  readonly crypto?: CryptoProvider;
  /** The default is real time. */
  readonly time?: VirtualTime;
}

const PSK = '0123456789abcdef';
const DEVICE_ID = '00:11:22:33:44:55';
const LAST_WORDS_MS = 100;

/** Two real sessions, from a real handshake with a real server, over any transport. */
export async function openSessions(
  { listener, dialer, crypto = nodeCrypto, time }: Way,
  limits: PairLimits = {},
): Promise<OpenedSessions> {
  const wait = time ? waitInVirtualTime(time) : <T>(promise: Promise<T>): Promise<T> => promise;
  const scheduler = time ?? defaultScheduler;
  const server = new UsmpServer({ psk: PSK, crypto, scheduler, ...limits.server });
  const atServer = firstValueFrom(server.sessions$);
  const { listeners } = await server.listen({ listeners: [listener] });
  const atClient = firstValueFrom(connect(dialer(listeners[0]!), crypto, scheduler, limits.client));
  const [client, serverSession] = await wait(Promise.all([atClient, atServer]));
  const close = async (): Promise<void> => {
    client.beginClose(LAST_WORDS_MS);
    await wait(Promise.all([client.closed, server.close({ graceMs: LAST_WORDS_MS })]));
  };
  return { client, server: serverSession, wait, close };
}

function connect(
  dialer: AnyDialer,
  crypto: CryptoProvider,
  scheduler: SchedulerLike,
  { keepaliveMs, ...limits }: NonNullable<PairLimits['client']> = {},
): Observable<UsmpSession> {
  const transport$: Observable<AnyTransport> = dialer.dial();
  const environment = { crypto, scheduler, timeoutMs: 10_000 };
  return transport$.pipe(
    concatMap((transport) => runClientHandshake(transport, parseDeviceId(DEVICE_ID), parsePsk(PSK), environment)),
    map(
      (result) =>
        new UsmpSession(result, {
          crypto,
          suite: 'aes-256-gcm',
          scheduler,
          limits: sessionLimits(limits, { idleTimeoutMs: 60_000, keepaliveMs }),
        }),
    ),
    tap((session) => session.start()),
  );
}

const STEP_MS = 5;
const MOST_MS = 60_000;

const waitInVirtualTime =
  (time: VirtualTime) =>
  async <T>(promise: Promise<T>): Promise<T> => {
    const waiting = new Subscription();
    const settled = (): void => waiting.unsubscribe();
    promise.then(settled, settled);
    const endMs = time.frame + MOST_MS;
    await time.advance();
    while (!waiting.closed && time.frame < endMs) await time.advance(STEP_MS);
    if (!waiting.closed) throw new Error(`nothing came of it within ${MOST_MS} ms of virtual time`);
    return promise;
  };
