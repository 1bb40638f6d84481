import type { FrameDrop } from '../protocol/datagram/datagram-channel.js';
import type { MessageDrop } from '../protocol/datagram/datagram-reassembly.js';
import type { UsmpError } from '../protocol/errors.js';
import type { CloseInfo } from './session.js';

/** A message as `events$` shows it: its bytes are there for who asks, but print nowhere. */
export class SessionMessageEvent {
  readonly type: 'message' | 'sent';
  /** 0 to 1808 bytes. */
  readonly bytes: number;
  readonly #data: Uint8Array;

  constructor(type: 'message' | 'sent', data: Uint8Array) {
    this.type = type;
    this.bytes = data.length;
    this.#data = data;
  }

  /** The plaintext itself, not to be modified. */
  get data(): Uint8Array {
    return this.#data;
  }
}

/** Why a datagram was dropped. Anybody can forge one, so it ends nothing. */
export type DatagramDrop =
  | FrameDrop
  /** No frame: magic, version, type, length or CRC is wrong. */
  | 'malformed'
  /** An acknowledgement of nothing that is outstanding, or one that is not authentic. */
  | 'stray-acknowledgement';

export type DropReason =
  | DatagramDrop
  | MessageDrop
  /** UDP: a frame was not acknowledged because the inbox is full; the peer repeats it. */
  | 'inbox-full'
  /** A client lost several sessions whose messages nobody read, and let go of the oldest. */
  | 'unread-session';

/** What happens in a session, for dashboards, logs and metrics. Watching consumes nothing. */
export type SessionEvent =
  /** `message`: a message arrived, consumed or not. `sent`: one was sealed and handed to the transport. */
  | SessionMessageEvent
  /** The peer's PING came. */
  | { readonly type: 'ping' }
  /** The answer to a PING of ours came. */
  | { readonly type: 'pong'; readonly roundTripMs: number }
  | { readonly type: 'rekeyed'; readonly initiator: 'local' | 'remote' }
  /** Something was passed over; its sender is not told. */
  | { readonly type: 'dropped'; readonly reason: DropReason }
  /** A `send` was refused at once; its promise says the same, to whom it may concern. */
  | { readonly type: 'send-refused'; readonly error: UsmpError }
  /** Reading stopped because the inbox is full, or goes on. */
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'closed'; readonly info: CloseInfo };
