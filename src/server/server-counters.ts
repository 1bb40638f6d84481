import type { ErrorCode } from '../protocol/errors.js';
import type { DropReason } from '../session/session-event.js';
import type { RefusalReason } from './admission.js';
import type { StrayDrop } from './datagram-router.js';
import type { ServerEvent } from './server-event.js';

/** What happened since the server was made. */
export interface ServerCounters {
  /** Connections that were let in; each comes to a session or to a failed handshake. */
  readonly connectionsAccepted: number;
  /** Peers that were turned away, at once or at their HELLO. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly handshakeFailures: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly sessionsOpened: number;
  /** Authenticated, and sent away: by the policy `reject`, or because there was no room left. */
  readonly sessionsRejected: number;
  /** `BYE` is the clean end, whoever said it. */
  readonly sessionsClosed: Readonly<Partial<Record<ErrorCode | 'BYE', number>>>;
  /** Frames and datagrams that were passed over, within sessions and outside. */
  readonly dropped: Readonly<Partial<Record<StrayDrop | DropReason, number>>>;
  readonly handlersFailed: number;
  readonly pskStoreFailures: number;
}

const NOTHING: ServerCounters = {
  connectionsAccepted: 0,
  refused: {},
  handshakeFailures: {},
  sessionsOpened: 0,
  sessionsRejected: 0,
  sessionsClosed: {},
  dropped: {},
  handlersFailed: 0,
  pskStoreFailures: 0,
};

export const NO_COUNTS: ServerCounters = Object.freeze(NOTHING);

/** The counters after an event. */
export function count(counters: ServerCounters, event: ServerEvent): ServerCounters {
  switch (event.type) {
    case 'connection-accepted':
      return { ...counters, connectionsAccepted: counters.connectionsAccepted + 1 };
    case 'connection-refused':
      return { ...counters, refused: oneMore(counters.refused, event.reason) };
    case 'handshake-failed':
      return {
        ...counters,
        handshakeFailures: oneMore(counters.handshakeFailures, event.error.code),
        refused: event.refusal ? oneMore(counters.refused, event.refusal) : counters.refused,
      };
    case 'session-opened':
      return { ...counters, sessionsOpened: counters.sessionsOpened + 1 };
    case 'session-rejected':
      return { ...counters, sessionsRejected: counters.sessionsRejected + 1 };
    case 'session-closed':
      return { ...counters, sessionsClosed: oneMore(counters.sessionsClosed, event.info.error?.code ?? 'BYE') };
    case 'datagram-dropped':
      return { ...counters, dropped: oneMore(counters.dropped, event.reason) };
    case 'session':
      if (event.event.type !== 'dropped') return counters;
      return { ...counters, dropped: oneMore(counters.dropped, event.event.reason) };
    case 'handler-failed':
      return { ...counters, handlersFailed: counters.handlersFailed + 1 };
    case 'psk-store-failed':
      return { ...counters, pskStoreFailures: counters.pskStoreFailures + 1 };
    default:
      return counters;
  }
}

const oneMore = <K extends string>(counts: Readonly<Partial<Record<K, number>>>, key: K) => ({
  ...counts,
  [key]: (counts[key] ?? 0) + 1,
});
