import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { DeviceTable } from '../../src/bridge/device-table.js';
import type { BridgeDevice } from '../../src/bridge/protocol.js';
import type { Session } from '../../src/session/session.js';
import { deviceIdOf } from '../server/bench.js';

const sessionOf = (n: number): Session =>
  ({ deviceId: deviceIdOf(n), sessionId: '00', transport: 'udp', remoteAddress: `10.0.0.${n}:1` }) as Session;

const shown = (table: DeviceTable, n: number): BridgeDevice =>
  JSON.parse(table.json(deviceIdOf(n)) ?? 'null') as BridgeDevice;

describe('the table of devices', () => {
  it('keeps those that are here however many they are, and of those that are gone the ones that went last', () => {
    const event = fc.tuple(fc.constantFrom('opens', 'closes'), fc.nat(9));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (events, maxDevices) => {
        const table = new DeviceTable(maxDevices);
        const here = new Map<number, Session>();
        let gone: number[] = [];
        for (const [what, n] of events) {
          const session = here.get(n);
          if (what === 'opens' && !session) {
            here.set(n, sessionOf(n));
            table.opened(here.get(n)!, 0);
            gone = gone.filter((one) => one !== n);
          } else if (what === 'closes' && session) {
            here.delete(n);
            table.closed(session);
            gone.push(n);
          }
          gone = gone.slice(Math.max(0, gone.length - Math.max(0, maxDevices - here.size)));
          expect([...table.deviceIds].sort()).toEqual([...here.keys(), ...gone].map(deviceIdOf).sort());
          for (const one of gone) expect(shown(table, one).isOnline).toBe(false);
        }
      }),
    );
  });

  it('tells a rate until it is 0, also where nothing came in seconds in between', () => {
    const table = new DeviceTable(10);
    table.opened(sessionOf(1), 0);
    for (const atMs of [5_100, 7_100, 9_100]) table.message(deviceIdOf(1), new Uint8Array(1), atMs);
    const rates: number[] = [];
    for (let nowMs = 10_000; nowMs <= 16_000; nowMs += 1_000) {
      table.takeChanged(nowMs);
      rates.push(shown(table, 1).messagesPerSecond);
    }

    expect(rates).toEqual([0.6, 0.4, 0.4, 0.2, 0.2, 0, 0]);
    expect(table.takeChanged(17_000).size).toBe(0);
  });

  it('says of each change once', () => {
    const table = new DeviceTable(10);
    table.opened(sessionOf(1), 0);
    table.opened(sessionOf(2), 0);
    expect([...table.takeMoved()]).toEqual([1, 2].map(deviceIdOf));
    expect([...table.takeMoved()]).toEqual([]);
    table.seen(deviceIdOf(1), 500);
    table.dropped(deviceIdOf(2));
    expect([...table.takeMoved()]).toEqual([]);
    expect([...table.takeChanged(1_000)]).toEqual([1, 2].map(deviceIdOf));
    expect([...table.takeChanged(2_000)]).toEqual([]);
    expect([shown(table, 1).lastSeenMs, shown(table, 2).drops]).toEqual([500, 1]);
  });

  it('shows no payload when it is printed', () => {
    const table = new DeviceTable(10);
    table.opened(sessionOf(1), 0);
    table.message(deviceIdOf(1), Buffer.from('a plaintext'), 1);
    const { latest } = { latest: table.latest(deviceIdOf(1)) };
    latest?.frame(1);

    expect(inspect([table, latest], { depth: 9, showHidden: true })).not.toMatch(/plaintext|61 20 70|97, ?32/);
  });
});
