import type { BridgeDevice, BridgeMessage } from 'usmp-rx/bridge-client';
import { summaryOf } from '../payload.js';
import { numbersIn, type Reading } from '../readings.js';

/** Samples that are kept of each device, one a second. */
export const TRACE_SAMPLES = 60;

/** What a device sent lately. */
export interface Trace {
  /** Its last message in one line. */
  readonly summary: string;
  /** The field that its sparkline shows; without one, there were no numbers, and it shows the rate. */
  readonly field: string | undefined;
  readonly readings: readonly Reading[];
}

/** All that the overview knows. */
export interface Fleet {
  readonly isKnown: boolean;
  readonly devices: readonly BridgeDevice[];
  /** By device id. */
  readonly traces: ReadonlyMap<string, Trace>;
  /** Messages a second of each device, a sample a second, the newest last. */
  readonly rates: ReadonlyMap<string, readonly number[]>;
  /** The same of all together. */
  readonly totalRates: readonly number[];
}

export const NO_FLEET: Fleet = { isKnown: false, devices: [], traces: new Map(), rates: new Map(), totalRates: [] };

export const withDevices = (fleet: Fleet, devices: readonly BridgeDevice[]): Fleet => ({
  ...fleet,
  isKnown: true,
  devices,
});

/** Takes the samples of about a second, so that the map is copied once for all of them. */
export function withMessages(fleet: Fleet, messages: readonly BridgeMessage[]): Fleet {
  const traces = new Map(fleet.traces);
  for (const message of messages) traces.set(message.deviceId, extended(traces.get(message.deviceId), message));
  return { ...fleet, traces };
}

function extended(trace: Trace | undefined, { atMs, payload }: BridgeMessage): Trace {
  const values = numbersIn(payload);
  const [first] = values.keys();
  const readings = trace?.readings ?? [];
  return {
    summary: summaryOf(payload),
    field: trace?.field !== undefined && values.has(trace.field) ? trace.field : (first ?? trace?.field),
    readings: values.size > 0 ? appended(readings, { atMs, values }) : readings,
  };
}

/** To be called once a second. */
export function withRates(fleet: Fleet): Fleet {
  const rates = new Map<string, readonly number[]>();
  let total = 0;
  for (const { deviceId, messagesPerSecond } of fleet.devices) {
    rates.set(deviceId, appended(fleet.rates.get(deviceId) ?? [], messagesPerSecond));
    total += messagesPerSecond;
  }
  return { ...fleet, rates, totalRates: fleet.isKnown ? appended(fleet.totalRates, total) : [] };
}

const appended = <T>(samples: readonly T[], sample: T): readonly T[] => [...samples.slice(1 - TRACE_SAMPLES), sample];

/** What the sparkline of a device shows. */
export interface Spark {
  readonly of: string;
  readonly values: readonly number[];
}

export function sparkOf({ traces, rates }: Fleet, deviceId: string): Spark {
  const trace = traces.get(deviceId);
  const { field } = trace ?? {};
  if (!trace || field === undefined) return { of: 'messages a second', values: rates.get(deviceId) ?? [] };
  const values = trace.readings.map((reading) => reading.values.get(field)).filter((value) => value !== undefined);
  return { of: field, values };
}

export interface FleetTotals {
  readonly devices: number;
  readonly online: number;
  readonly messagesPerSecond: number;
  readonly drops: number;
}

export const totalsOf = ({ devices }: Fleet): FleetTotals => ({
  devices: devices.length,
  online: devices.filter(({ isOnline }) => isOnline).length,
  messagesPerSecond: devices.reduce((sum, device) => sum + device.messagesPerSecond, 0),
  drops: devices.reduce((sum, device) => sum + device.drops, 0),
});
