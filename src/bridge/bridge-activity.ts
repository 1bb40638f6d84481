import type { ErrorCode } from '../protocol/errors.js';
import type { EntranceRefusal } from './entrance.js';
import type { BridgeCloseCode, RefusalCode, Role } from './protocol.js';

/** Why the bridge closed a WebSocket. */
export type BridgeCloseReason = keyof typeof BridgeCloseCode;

/** What dashboards do, for logs. Nothing here holds a token or a payload. */
export type BridgeActivity =
  /** A dashboard showed a token that is known. */
  | { readonly type: 'client-opened'; readonly remoteAddress: string; readonly role: Role }
  /** A request did not even become a WebSocket. */
  | { readonly type: 'client-refused'; readonly remoteAddress: string; readonly reason: EntranceRefusal }
  /** A WebSocket is closed. `client`: by the dashboard, or by the network. */
  | { readonly type: 'client-closed'; readonly remoteAddress: string; readonly reason: BridgeCloseReason | 'client' }
  /** A dashboard sent something to a device, or tried to. */
  | {
      readonly type: 'command';
      readonly remoteAddress: string;
      readonly command: 'send' | 'ping' | 'end';
      readonly deviceId: string;
      readonly outcome: 'ok' | RefusalCode | ErrorCode;
    };
