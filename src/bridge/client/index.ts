export { ConfigError, PayloadError, UsmpError } from '../../protocol/errors.js';
export type { BridgeDevice, BridgeEvent, RefusalCode, Role } from '../protocol.js';
export type { BackoffOptions } from '../../session/backoff.js';
export type { BridgeConnection, BridgeMessage, BridgeState, MessagesOptions } from './bridge-connection.js';
export { BridgeError, type BridgeErrorCode } from './bridge-error.js';
export type { BridgeOptions } from './bridge-options.js';
export { connectBridge } from './connect-bridge.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.js';
