import { describe, expect, it } from '@jest/globals';
import { NO_FLEET, withDevices, withMessages } from '../../../src/dashboard/overview/fleet.js';
import {
  EVERYTHING,
  selected,
  SORT_KEYS,
  sortedBy,
  type Selection,
} from '../../../src/dashboard/overview/selection.js';
import { deviceOf } from '../device-of.js';

const devices = [
  deviceOf(3, { transport: 'udp', messagesPerSecond: 1 }),
  deviceOf(1, { messagesPerSecond: 7 }),
  deviceOf(2, { isOnline: false, messagesPerSecond: 1 }),
];
const payload = new TextEncoder().encode('door open');
const fleet = withMessages(withDevices(NO_FLEET, devices), [{ deviceId: devices[0]!.deviceId, atMs: 0, payload }]);
const shown = (change: Partial<Selection> = {}): string[] =>
  selected(fleet, { ...EVERYTHING, ...change }).map(({ deviceId }) => deviceId.slice(-1));

describe('the list of devices', () => {
  it('is in the order of their ids unless one asks for another', () => expect(shown()).toEqual(['1', '2', '3']));

  it('holds those that are online, or those that are not', () => {
    expect(shown({ presence: 'online' })).toEqual(['1', '3']);
    expect(shown({ presence: 'offline' })).toEqual(['2']);
  });

  it.each([
    ['00:03', ['3']],
    ['10.0.0.1', ['1']],
    [' UDP ', ['3']],
    ['Door', ['3']],
    ['nobody', []],
  ])('is searched in id, address, transport and last value: %j', (text, ids) => expect(shown({ text })).toEqual(ids));

  it('is sorted by any column, both ways, and equals by their ids', () => {
    expect(shown({ sortKey: 'rate', isDescending: true })).toEqual(['1', '2', '3']);
    expect(shown({ sortKey: 'rate' })).toEqual(['2', '3', '1']);
    expect(shown({ sortKey: 'value', isDescending: true })).toEqual(['3', '1', '2']);
    expect(shown({ sortKey: 'transport', isDescending: true })).toEqual(['3', '1', '2']);
    for (const sortKey of ['device', 'address', 'last-seen'] as const) {
      expect(shown({ sortKey, isDescending: true })).toEqual(['3', '2', '1']);
    }
  });

  it('is sorted by how long sessions last, where those without one are none', () => {
    expect(shown({ sortKey: 'since', isDescending: true })).toEqual(['1', '3', '2']);
    expect(shown({ sortKey: 'since' })).toEqual(['2', '3', '1']);
  });

  it('takes the numbers in addresses and last values for numbers', () => {
    const twelve = deviceOf(1, { remoteAddress: '10.0.0.1:12000' });
    const nine = deviceOf(2, { remoteAddress: '10.0.0.1:9000' });
    const addressed = withDevices(NO_FLEET, [twelve, nine]);
    expect(selected(addressed, { ...EVERYTHING, sortKey: 'address' })).toEqual([nine, twelve]);
  });

  it('leaves the list of the gateway in its order', () => {
    selected(fleet, { ...EVERYTHING, sortKey: 'rate' });
    expect(fleet.devices).toBe(devices);
    expect(devices.map(({ deviceId }) => deviceId.slice(-1))).toEqual(['3', '1', '2']);
  });

  it('is turned round by a second click on its column, and starts with what one looks for', () => {
    for (const key of SORT_KEYS) {
      const first = sortedBy({ ...EVERYTHING, sortKey: key === 'device' ? 'rate' : 'device' }, key);
      expect(first.isDescending).toBe(['since', 'last-seen', 'rate'].includes(key));
      expect(sortedBy(first, key).isDescending).toBe(!first.isDescending);
    }
  });
});
