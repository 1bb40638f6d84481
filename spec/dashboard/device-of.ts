import type { BridgeDevice } from '../../src/bridge/client/index.js';

/** A device as the bridge tells of it. */
export const deviceOf = (last: number, changes: Partial<BridgeDevice> = {}): BridgeDevice => ({
  deviceId: `02:00:00:00:00:${last.toString(16).padStart(2, '0')}`,
  isOnline: true,
  transport: 'tcp',
  remoteAddress: `10.0.0.${last}:4000`,
  sessionId: 'c0ffee',
  sinceMs: 1_000 * last,
  lastSeenMs: 2_000 * last,
  messages: 0,
  bytes: 0,
  messagesPerSecond: last,
  drops: 0,
  ...changes,
});
