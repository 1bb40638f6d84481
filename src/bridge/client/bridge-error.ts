/**
 * What this side finds wrong. The codes of what the bridge says come on top: where it closes the connection the names of its
 * close codes, such as `UNAUTHORIZED` and `TOO_SLOW`; where it refuses a request its RefusalCode, or the code of the UsmpError
 * that sending to the device failed with.
 */
export type BridgeErrorCode =
  /** Nobody answered, or the server refuses this page: a browser does not tell which. */
  | 'CONNECT_FAILED'
  /** The WebSocket broke, or the bridge closed it for no stated reason. */
  | 'CONNECTION_LOST'
  /** The server is no bridge, or one of another version. */
  | 'SUBPROTOCOL'
  /** The bridge sent what the protocol does not allow. */
  | 'PROTOCOL'
  /** No answer in time. */
  | 'TIMEOUT'
  /** Nothing was sent, since there is no connection to the bridge now. */
  | 'DISCONNECTED'
  /** Nothing was sent, since too many requests wait for their answers. */
  | 'TOO_MANY_REQUESTS';

/** What went wrong between this program and the bridge. `code` is for programs, `message` for people; neither holds the token. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  /** A BridgeErrorCode, or one that the bridge gave. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The same for the codes of this side, which the compiler can then check. */
export const bridgeError = (code: BridgeErrorCode, message: string, cause?: unknown): BridgeError =>
  new BridgeError(code, message, cause === undefined ? undefined : { cause });
