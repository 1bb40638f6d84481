export { UsmpClient } from './client/usmp-client.js';
export type { BackoffOptions } from './session/backoff.js';
export type { ClientOptions } from './client/client-options.js';
export type { ConnectionState } from './client/connection-state.js';
export { nobleCrypto } from './crypto/noble.js';
export * from './protocol/index.js';
export { defaultScheduler } from './session/default-scheduler.js';
export type { InboxLimits } from './session/inbox.js';
export { SessionMessageEvent, type DatagramDrop, type DropReason, type SessionEvent } from './session/session-event.js';
export type { OutboxLimits, RekeyPolicy, SessionLimitOptions } from './session/session-limits.js';
export type { CloseInfo, ReceiveOptions, SendOptions, Session, SessionState } from './session/session.js';
export type {
  DatagramDialer,
  DatagramListener,
  DatagramReceiver,
  DatagramSink,
  DatagramSocket,
  DatagramTransport,
  PeerAddress,
} from './transport/datagram.js';
export type {
  Dialer,
  Listener,
  StreamKind,
  Transport,
  TransportKind,
  TransportSink,
} from './transport/transport.js';
export { webSocketTransport, type WebSocketLike, type WebSocketTransportOptions } from './transport/websocket.js';
