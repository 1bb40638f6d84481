import { nodeCrypto } from '../../../src/crypto/node.js';
import type { CryptoProvider } from '../../../src/protocol/index.js';
import { AnsweredDatagrams } from '../../../src/session/datagram/answered-datagrams.js';
import { Delivery } from '../../../src/session/datagram/delivery.js';
import type { DatagramHandshakeResult } from '../../../src/session/datagram/handshake.js';
import { sessionLimits, type SessionLimitOptions } from '../../../src/session/session-limits.js';
import { UsmpSession } from '../../../src/session/usmp-session.js';
import { VirtualTime } from '../../../src/testing/index.js';
import { establishedAs, type Role } from '../../protocol/pair.js';
import { datagramLine, type DatagramLine } from './datagram-line.js';
import { PeerByHand } from './peer-by-hand.js';

export type Limits = SessionLimitOptions & { readonly keepaliveMs?: number };

interface LineOptions {
  /** One way; the default is 10. */
  readonly delayMs?: number;
  readonly crypto?: CryptoProvider;
}

export interface DatagramPair {
  readonly client: UsmpSession;
  readonly server: UsmpSession;
  readonly line: DatagramLine;
  readonly time: VirtualTime;
}

/** Two real sessions with each other over datagrams in virtual time, as after a handshake that taught them nothing. */
export function datagramPair(
  options: LineOptions & { readonly client?: Limits; readonly server?: Limits } = {},
): DatagramPair {
  const { time, line, result } = onLine(options);
  const open = (role: Role): UsmpSession => startedSession(result(role), time, options[role] ?? {}, options.crypto);
  return { client: open('client'), server: open('server'), line, time };
}

export interface PlayedByHand {
  readonly session: UsmpSession;
  readonly peer: PeerByHand;
  readonly line: DatagramLine;
  readonly time: VirtualTime;
}

interface ByHandOptions extends LineOptions, Limits {
  /** Of the session; the default is `server`. */
  readonly role?: Role;
  /** What the handshake left behind. */
  readonly prepare?: (result: DatagramHandshakeResult) => void;
}

/** One real session, and the keys of its peer in the hand of the test. Without a delay unless one is given. */
export function sessionByHand({ role = 'server', prepare, delayMs = 0, crypto, ...limits }: ByHandOptions = {}) {
  const { time, line, result } = onLine({ delayMs });
  const peer = new PeerByHand(role === 'server' ? 'client' : 'server', line);
  const made = result(role);
  prepare?.(made);
  const session = startedSession(made, time, limits, crypto);
  return { session, peer, line, time } satisfies PlayedByHand;
}

function onLine({ delayMs = 10 }: LineOptions) {
  const time = new VirtualTime();
  const line = datagramLine(time, delayMs);
  const result = (role: Role): DatagramHandshakeResult => ({
    transport: line[role],
    delivery: new Delivery(line[role], time),
    answered: new AnsweredDatagrams(),
    established: establishedAs(role),
  });
  return { time, line, result };
}

function startedSession(
  result: DatagramHandshakeResult,
  scheduler: VirtualTime,
  limits: Limits,
  crypto: CryptoProvider = nodeCrypto,
): UsmpSession {
  const session = new UsmpSession(result, {
    crypto,
    suite: 'aes-256-gcm',
    scheduler,
    limits: sessionLimits(limits, { idleTimeoutMs: 2 ** 31 - 1, keepaliveMs: limits.keepaliveMs }),
  });
  session.start();
  return session;
}
