import type { UsmpError } from '../protocol/errors.js';
import type { Session } from '../session/session.js';

/** Where a client stands. */
export type ConnectionState<S extends Session = Session> =
  /** `connect` was not called yet. */
  | { readonly name: 'idle' }
  /** Dialing, or shaking hands; `attempt` counts from 1 since the last session that stood for a while. */
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'connected'; readonly session: S }
  /** Before the next attempt. `error` is why the last one failed or the session ended; absent after a BYE of the server. */
  | { readonly name: 'waiting'; readonly delayMs: number; readonly error?: UsmpError }
  /** The server refuses us for good (wrong PSK, wrong version). Only another `connect` tries again. */
  | { readonly name: 'failed'; readonly error: UsmpError }
  | { readonly name: 'closed' };
