import { describe, expect, it } from '@jest/globals';
import {
  NO_FLEET,
  sparkOf,
  totalsOf,
  TRACE_SAMPLES,
  withDevices,
  withMessages,
  withRates,
  type Fleet,
} from '../../../src/dashboard/overview/fleet.js';
import { deviceOf } from '../device-of.js';

const A = deviceOf(1);
const B = deviceOf(2, { isOnline: false, messagesPerSecond: 0, drops: 3 });
const message = (deviceId: string, text: string, atMs = 0) => ({
  deviceId,
  atMs,
  payload: new TextEncoder().encode(text),
});
const after = (times: number, step: (fleet: Fleet, n: number) => Fleet, fleet: Fleet): Fleet =>
  Array.from({ length: times }, (_, n) => n).reduce(step, fleet);

describe('the fleet', () => {
  it('is not known before the gateway has said who is here, which may be nobody', () => {
    expect(NO_FLEET.isKnown).toBe(false);
    expect(withDevices(NO_FLEET, [])).toMatchObject({ isKnown: true, devices: [] });
  });

  it('in numbers is those online, their rates together, and all drops', () => {
    expect(totalsOf(withDevices(NO_FLEET, [A, B]))).toEqual({ devices: 2, online: 1, messagesPerSecond: 1, drops: 3 });
  });

  it('keeps the last value of each device and leaves the earlier fleet as it was', () => {
    const first = withMessages(NO_FLEET, [message(A.deviceId, '{"celsius":20}'), message(B.deviceId, 'open')]);
    const second = withMessages(first, [message(A.deviceId, '{"celsius":21}')]);

    expect(second.traces.get(A.deviceId)?.summary).toBe('celsius 21');
    expect(second.traces.get(B.deviceId)?.summary).toBe('open');
    expect(first.traces.get(A.deviceId)?.summary).toBe('celsius 20');
  });

  it('shows the first number of a device as its sparkline, and of no more samples than a minute has', () => {
    const fleet = after(
      100,
      (f, n) => withMessages(f, [message(A.deviceId, `{"celsius":${n},"humidity":1}`, n)]),
      NO_FLEET,
    );
    const { of, values } = sparkOf(fleet, A.deviceId);

    expect(of).toBe('celsius');
    expect(values).toHaveLength(TRACE_SAMPLES);
    expect([values[0], values.at(-1)]).toEqual([40, 99]);
  });

  it('stays with the field that it shows until a message lacks it', () => {
    const both = withMessages(NO_FLEET, [message(A.deviceId, '{"a":1}'), message(A.deviceId, '{"b":5,"a":2}')]);
    expect(sparkOf(both, A.deviceId)).toEqual({ of: 'a', values: [1, 2] });
    const other = withMessages(both, [message(A.deviceId, '{"b":6}')]);
    expect(sparkOf(other, A.deviceId)).toEqual({ of: 'b', values: [5, 6] });
  });

  it('shows the rate of devices that send no numbers, and of all together', () => {
    const fleet = after(70, withRates, withMessages(withDevices(NO_FLEET, [A, B]), [message(A.deviceId, 'open')]));

    expect(sparkOf(fleet, A.deviceId)).toEqual({ of: 'messages a second', values: new Array(TRACE_SAMPLES).fill(1) });
    expect(sparkOf(fleet, B.deviceId).values).toEqual(new Array(TRACE_SAMPLES).fill(0));
    expect(fleet.totalRates).toEqual(new Array(TRACE_SAMPLES).fill(1));
  });

  it('forgets the rates of devices that the gateway does not know any more', () => {
    const fleet = withRates(withDevices(withRates(withDevices(NO_FLEET, [A, B])), [B]));
    expect([...fleet.rates.keys()]).toEqual([B.deviceId]);
  });
});
