export { bridge, type Bridge } from './bridge.js';
export type { BridgeActivity, BridgeCloseReason } from './bridge-activity.js';
export type { BridgeLimits, BridgeOptions } from './bridge-options.js';
export type { EntranceRefusal } from './entrance.js';
export { BridgeCloseCode, type RefusalCode, type Role } from './protocol.js';
export type { BridgeToken } from './tokens.js';
