import type { UsmpError } from '../protocol/errors.js';
import type { DatagramDrop, SessionEvent } from '../session/session-event.js';
import type { CloseInfo, Session } from '../session/session.js';
import type { TransportKind } from '../transport/transport.js';
import type { RefusalReason } from './admission.js';
import type { StrayDrop } from './datagram-router.js';
import type { PskSourceEvent } from './psk-source.js';

/** Where a connection comes from. */
export interface ConnectionOrigin {
  readonly transport: TransportKind;
  /** `address:port`, or what the transport has instead. */
  readonly remoteAddress: string;
}

/** A connection that was let in and did not come to a session. */
export interface HandshakeFailure extends ConnectionOrigin {
  readonly type: 'handshake-failed';
  /** What the peer claims to be, once HELLO has come. Nobody has proved it. */
  readonly deviceId: string | undefined;
  readonly error: UsmpError;
  /** Set where the server turned the peer away after its HELLO; the error is then a `HANDSHAKE_REFUSED`. */
  readonly refusal: RefusalReason | undefined;
}

/** What happens in a server, for dashboards, logs and metrics. No event shows a PSK, a key or a plaintext when printed. */
export type ServerEvent =
  | ({ readonly type: 'connection-accepted' } & ConnectionOrigin)
  /** A connection was closed at once. */
  | ({ readonly type: 'connection-refused'; readonly reason: RefusalReason } & ConnectionOrigin)
  | HandshakeFailure
  /** The peer sent ERROR during its handshake (protocol.md section 2); told once. It proves nothing and changes nothing. */
  | ({ readonly type: 'peer-error'; readonly code: number; readonly detail: number } & ConnectionOrigin)
  /**
   * A datagram that belongs to no session was dropped: it proved nothing, and its sender got no answer. `remoteAddress` is what
   * it claims.
   */
  | ({ readonly type: 'datagram-dropped'; readonly reason: StrayDrop | DatagramDrop } & ConnectionOrigin)
  | {
      readonly type: 'session-opened';
      readonly session: Session;
      /** Sessions of the same device that end for it. */
      readonly replaced: readonly Session[];
    }
  /**
   * The peer authenticated and gets BYE: its device has a session and the policy is `reject`, or others took the last room while
   * it proved itself.
   */
  | ({
      readonly type: 'session-rejected';
      readonly deviceId: string;
      readonly reason: 'has-session' | 'session-limit';
    } & ConnectionOrigin)
  /** What a session says in its own `events$`, except that it is closed. */
  | {
      readonly type: 'session';
      readonly session: Session;
      readonly event: Exclude<SessionEvent, { readonly type: 'closed' }>;
    }
  | { readonly type: 'session-closed'; readonly session: Session; readonly info: CloseInfo }
  /** A handler of `onSession` threw or rejected; its session ends. */
  | { readonly type: 'handler-failed'; readonly session: Session; readonly error: unknown }
  | PskSourceEvent;
