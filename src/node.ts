export * from './index.js';
export { NodeUsmpClient as UsmpClient, type NodeClientOptions } from './client/node-client.js';
export { fastNodeCrypto } from './crypto/fast-node.js';
export { nodeCrypto } from './crypto/node.js';
export type { RefusalReason } from './server/admission.js';
export { BoundAddress, type BoundAddresses, type ListenOptions } from './server/listening.js';
export { pskFile, type PskFileOptions } from './server/psk-file.js';
export type { PskFunction, PskOption, PskStore, PskStoreEvent } from './server/psk-source.js';
export type { PskAnswer, PskTable } from './server/psk-table.js';
export type { StrayDrop } from './server/datagram-router.js';
export type { ServerCounters } from './server/server-counters.js';
export type { ConnectionOrigin, HandshakeFailure, ServerEvent } from './server/server-event.js';
export type { ServerOptions, SessionPolicy } from './server/server-options.js';
export { UsmpServer, type CloseOptions } from './server/server.js';
export type { SessionHandler } from './server/session-handler.js';
export { tcpDialer, tcpListener, type TcpAddress } from './transport/tcp.js';
export { udpDialer, udpListener, type UdpAddress } from './transport/udp.js';
export {
  webSocketListener,
  type WebSocketLimits,
  type WebSocketListenOptions,
} from './transport/websocket-listener.js';
