import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextDeviceList, type DevicesAnswer } from '../../../src/bridge/client/device-list.js';
import type { BridgeDevice } from '../../../src/bridge/protocol.js';
import { device } from './fake-bridge.js';

const ids = fc.constantFrom<string[]>(
  '00:00:00:00:00:01',
  '00:00:00:00:00:02',
  '00:00:00:00:00:03',
  '00:00:00:00:00:04',
);
const devices = fc
  .uniqueArray(fc.record({ deviceId: ids, drops: fc.nat(1) }), { selector: ({ deviceId }) => deviceId })
  .map((some) => some.map(({ deviceId, drops }) => device(deviceId, { drops })));
const answers = fc.oneof(
  devices.map((list): DevicesAnswer => ({ type: 'devices', id: 1, devices: list })),
  fc.tuple(devices, fc.uniqueArray(ids)).map(([list, gone]): DevicesAnswer => {
    const changed = list.filter(({ deviceId }) => !gone.includes(deviceId));
    return { type: 'devices-changed', id: 1, devices: changed, forgotten: gone };
  }),
);

const byId = (list: readonly BridgeDevice[]): Map<string, BridgeDevice> =>
  new Map(list.map((entry) => [entry.deviceId, entry]));

describe('nextDeviceList', () => {
  it('holds what the bridge said last of each device, and an equal device is the same object', () => {
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 20 }), (said) => {
        let list: readonly BridgeDevice[] | undefined;
        let model: Map<string, BridgeDevice> | undefined;
        for (const answer of said) {
          const before = list;
          list = nextDeviceList(list, answer);
          if (answer.type === 'devices') model = byId(answer.devices);
          else if (model) {
            for (const entry of answer.devices) model.set(entry.deviceId, entry);
            for (const deviceId of answer.forgotten ?? []) model.delete(deviceId);
          }
          expect(list && byId(list)).toEqual(model);
          for (const entry of list ?? []) {
            const old = before?.find(({ deviceId }) => deviceId === entry.deviceId);
            if (old && old.drops === entry.drops) expect(entry).toBe(old);
          }
        }
      }),
    );
  });

  it('never changes a list that was given out', () => {
    const list = Object.freeze([Object.freeze(device('00:00:00:00:00:01'))]);
    const changed = device('00:00:00:00:00:01', { drops: 1 });

    expect(nextDeviceList(list, { type: 'devices-changed', id: 1, devices: [changed] })).toEqual([changed]);
    expect(list[0]!.drops).toBe(0);
  });
});
