import type { BridgeDevice } from '../protocol.js';
import type { AnswerOf } from './link.js';

export type DevicesAnswer = AnswerOf<'devices' | 'devices-changed'>;
type DeviceList = readonly BridgeDevice[];

/**
 * The next list: all devices, or what changed worked into the list that was. A device that is as before stays the same object,
 * and a list without any change the same list. Undefined as long as not all are known.
 */
export function nextDeviceList(list: DeviceList | undefined, answer: DevicesAnswer): DeviceList | undefined {
  const isSnapshot = answer.type === 'devices';
  if (!list) return isSnapshot ? answer.devices : undefined;
  const known = new Map(list.map((device) => [device.deviceId, device]));
  const next = new Map(isSnapshot ? [] : known);
  for (const device of answer.devices) {
    const before = known.get(device.deviceId);
    next.set(device.deviceId, before && isSame(before, device) ? before : device);
  }
  if (!isSnapshot) for (const deviceId of answer.forgotten ?? []) next.delete(deviceId);
  const nextList = [...next.values()];
  return nextList.length === list.length && nextList.every((device, at) => device === list[at]) ? list : nextList;
}

const isSame = (a: BridgeDevice, b: BridgeDevice): boolean =>
  (Object.keys(a) as (keyof BridgeDevice)[]).every((name) => a[name] === b[name]);
