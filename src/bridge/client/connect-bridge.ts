import { checkOptions } from '../../protocol/check-option.js';
import { normalizeDeviceId } from '../../protocol/device-id.js';
import { encodeMessage } from '../../session/encode-message.js';
import { encodeCommandFrame } from '../payload-frame.js';
import type { ClientMessage } from '../protocol.js';
import type { BridgeConnection } from './bridge-connection.js';
import { bridgeError } from './bridge-error.js';
import { bridgeSettings, type BridgeOptions } from './bridge-options.js';
import { Connector } from './connector.js';
import type { Frame } from './link.js';
import { Requests, type Result } from './requests.js';
import { Subscriptions } from './subscriptions.js';

/**
 * Connects to the bridge of a gateway, at once and again whenever the connection is lost, until `close`.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function connectBridge(options: BridgeOptions): BridgeConnection {
  const settings = bridgeSettings(options);
  const connector = new Connector(settings);
  const subscriptions = new Subscriptions(connector.link$);
  const requests = new Requests(connector, settings);
  const { devices$, events$, missed$ } = subscriptions;
  return {
    connection$: connector.state$,
    devices$,
    events$,
    missed$,
    messages$: (deviceId, choice = {}) => subscriptions.messages$(deviceId, checkOptions('options', choice)),
    send: (deviceId, data) => requests.make((id) => command(id, deviceId, data), nothing),
    ping: (deviceId) => requests.make((id) => control('ping', id, deviceId), roundTripMs),
    end: (deviceId) => requests.make((id) => control('end', id, deviceId), nothing),
    close: () => connector.close(),
  };
}

const command = (id: number, deviceId: string, data: Uint8Array | string): Frame =>
  encodeCommandFrame({ id, deviceId: normalizeDeviceId(deviceId), payload: encodeMessage(data) }).buffer;

const control = (type: 'ping' | 'end', id: number, deviceId: string): Frame =>
  JSON.stringify({ type, id, deviceId: normalizeDeviceId(deviceId) } satisfies ClientMessage);

const nothing = (): void => {};

function roundTripMs(result: Result): number {
  if (result.roundTripMs !== undefined) return result.roundTripMs;
  throw bridgeError('PROTOCOL', 'the bridge answered a ping without its round trip');
}
