import type { Observable } from 'rxjs';
import type { BridgeDevice, BridgeEvent, Role } from '../protocol.js';
import type { BridgeError } from './bridge-error.js';

/** Where a connection to the bridge stands. */
export type BridgeState =
  /** On the way to the bridge, up to its welcome. */
  | { readonly name: 'connecting' }
  /** `role` is what the token allows: to `read`, or to `command` as well. */
  | { readonly name: 'open'; readonly role: Role }
  /** Before the next attempt; `error` is why there is none now. */
  | { readonly name: 'waiting'; readonly delayMs: number; readonly error: BridgeError }
  /** For good, since trying again is useless: a wrong token (`UNAUTHORIZED`), or no bridge (`SUBPROTOCOL`). */
  | { readonly name: 'failed'; readonly error: BridgeError }
  /** `close` was called. */
  | { readonly name: 'closed' };

/** A message that a device has sent. */
export interface BridgeMessage {
  readonly deviceId: string;
  /** When the gateway got it, in milliseconds since 1970. */
  readonly atMs: number;
  /** 0 to 1808 bytes. */
  readonly payload: Uint8Array;
}

export interface MessagesOptions {
  /** Only the latest of each device every so many milliseconds, 50 to 60000; the bridge leaves out the others. */
  readonly everyMs?: number;
}

/**
 * A connection to the bridge of a gateway, which comes back by itself whenever it is lost. Its observables outlive that:
 * they are silent until it is back, and `connection$` says so. All complete at `close` and when the state is `failed`. Whoever
 * unsubscribes last from one ends what it costs on the wire, and never the connection.
 *
 * `devices$`, `messages$` and `events$` error only with the BridgeError of a bridge that refuses the subscription.
 */
export interface BridgeConnection {
  /** The present state first, after the end too. Never errors. */
  readonly connection$: Observable<BridgeState>;
  /**
   * All devices: the present list first, once known, and again with each change. A list is never changed after; a device that
   * did not change is the same object in the next one. After a reconnect the list of that moment takes the place of the old.
   */
  readonly devices$: Observable<readonly BridgeDevice[]>;
  /** Sessions, failed handshakes and drops: the last ones first, 100 at most, then each that comes. None twice, after a reconnect either. */
  readonly events$: Observable<BridgeEvent>;
  /** How many messages and events the bridge passed over because this client reads slowly, in all; the present number first. */
  readonly missed$: Observable<number>;

  /**
   * The messages of a device, or of all, from now on; shared among those who ask for the same.
   * @throws ConfigError for a device id that is none, options that are none, or a time out of bounds
   */
  messages$(deviceId?: string, options?: MessagesOptions): Observable<BridgeMessage>;

  /**
   * Sends a device a message of 0 to 1808 bytes; a text means its UTF-8 bytes. Resolves when the gateway has delivered it to the
   * session. Nothing is kept for later: without a connection it rejects with `DISCONNECTED` at once. After `CONNECTION_LOST`
   * and `TIMEOUT` nobody knows whether the device got the message.
   *
   * @throws BridgeError also with the code of the bridge when it refuses; PayloadError, ConfigError
   */
  send(deviceId: string, data: Uint8Array | string): Promise<void>;
  /** The round trip between gateway and device in milliseconds. @throws BridgeError, ConfigError */
  ping(deviceId: string): Promise<number>;
  /** Ends the session of a device with BYE. @throws BridgeError, ConfigError; `CONNECTION_LOST` and `TIMEOUT` as in `send` */
  end(deviceId: string): Promise<void>;

  /** Closes the connection, completes all observables and rejects what waits for an answer. Once is enough. */
  close(): void;
}
