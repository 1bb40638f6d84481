import { describe, expect, it } from '@jest/globals';
import { DeviceTable } from '../../src/bridge/device-table.js';
import { SendQueue } from '../../src/bridge/send-queue.js';
import {
  DeviceSubscription,
  EventSubscription,
  MessageSubscription,
  type SubscribeRequest,
} from '../../src/bridge/subscription.js';
import { decodeMessageFrame } from '../../src/bridge/payload-frame.js';
import { parseServerMessage } from '../../src/bridge/protocol.js';
import type { Session } from '../../src/session/session.js';
import { deviceIdOf } from '../server/bench.js';

const MAX_BYTES = 65_536;

/** A dashboard whose reading is done by hand, and the table of what devices did. */
function bench(devices: number) {
  const sent: string[] = [];
  const webSocket = {
    bufferedAmount: 0,
    send: (data: Uint8Array, { binary }: { binary: boolean }) => {
      sent.push(binary ? shown(data) : JSON.stringify(parseServerMessage(Buffer.from(data).toString())));
    },
  };
  const queue = new SendQueue(webSocket as never, { cork: () => {}, uncork: () => {} }, MAX_BYTES);
  const table = new DeviceTable(1_000);
  for (let n = 0; n < devices; n++) table.opened(sessionOf(n), 0);
  const parts = (request: Partial<SubscribeRequest>) => ({
    request: { type: 'subscribe', id: 1, kind: 'messages', ...request } as SubscribeRequest,
    queue,
    table,
    nowMs: 0,
  });
  return {
    table,
    parts,
    /** Whether the dashboard reads; while it does not, there is no room. */
    reads: (yes: boolean) => {
      webSocket.bufferedAmount = yes ? 0 : MAX_BYTES;
      if (yes) queue.reopen();
    },
    /** What was sent since the last time. */
    taken: () => sent.splice(0),
  };
}

const sessionOf = (n: number): Session =>
  ({ deviceId: deviceIdOf(n), sessionId: '00', transport: 'memory', remoteAddress: 'x:1' }) as Session;

function shown(frame: Uint8Array): string {
  const { deviceId, payload } = decodeMessageFrame(frame);
  return `${deviceId.slice(-1)} ${Buffer.from(payload).toString()}`;
}

const missed = (count: number): string => JSON.stringify({ type: 'missed', id: 1, count });

describe('messages for a dashboard without room', () => {
  it('are the latest of each device once there is room, those first that have waited longest, after the count', () => {
    const { table, parts, reads, taken } = bench(3);
    const subscription = new MessageSubscription(parts({}));
    const send = (n: number, word: string, nowMs: number): void =>
      subscription.arrived(table.message(deviceIdOf(n), Buffer.from(word), nowMs)!, nowMs);
    send(0, 'a', 1);
    reads(false);
    send(1, 'b', 2);
    send(0, 'c', 3);
    send(1, 'd', 4);
    send(1, 'e', 5);
    expect(subscription.waitingSinceMs).toBe(2);
    expect(subscription.tick(6)).toBe(false);
    reads(true);
    // Not before those that wait.
    send(2, 'f', 7);

    expect(subscription.tick(8)).toBe(true);
    expect(taken()).toEqual(['0 a', missed(2), '1 e', '0 c', '2 f']);
    expect(subscription.waitingSinceMs).toBeUndefined();
    send(0, 'g', 9);
    expect(taken()).toEqual(['0 g']);
  });

  it('that are sampled count as missed where a sample is passed over, not where the sampling passes over', () => {
    const { table, parts, reads, taken } = bench(1);
    const subscription = new MessageSubscription(parts({ everyMs: 100 }));
    const send = (word: string, nowMs: number): void =>
      subscription.arrived(table.message(deviceIdOf(0), Buffer.from(word), nowMs)!, nowMs);
    send('a', 10);
    send('b', 20);
    subscription.tick(100);
    reads(false);
    send('c', 110);
    subscription.tick(200);
    send('d', 210);
    subscription.tick(250);
    expect(subscription.waitingSinceMs).toBe(200);
    subscription.tick(300);
    reads(true);
    subscription.tick(350);

    expect(taken()).toEqual(['0 b', missed(1), '0 d']);
  });

  it('of a device that was forgotten are gone', () => {
    const { parts, reads, taken, table } = bench(1_000);
    const subscription = new MessageSubscription(parts({}));
    reads(false);
    subscription.arrived(table.message(deviceIdOf(0), Buffer.from('a'), 1)!, 1);
    table.closed(sessionOf(0));
    table.opened({ ...sessionOf(0), deviceId: '11:11:11:11:11:11' }, 2);
    reads(true);

    expect(taken()).toEqual([]);
    expect(subscription.tick(3)).toBe(true);
  });
});

describe('devices for a dashboard without room', () => {
  it('are sent as they are once there is room', () => {
    const { table, parts, reads, taken } = bench(2);
    const subscription = new DeviceSubscription(parts({ kind: 'devices' }));
    reads(false);
    expect(subscription.tick()).toBe(false);
    table.message(deviceIdOf(0), Buffer.from('abc'), 5);
    subscription.changed(deviceIdOf(0), 5);
    expect(subscription.waitingSinceMs).toBe(0);
    reads(true);

    expect(subscription.tick()).toBe(true);
    expect(taken().map((one) => JSON.parse(one) as object)).toMatchObject([
      { type: 'devices', devices: [{ messages: 1, bytes: 3 }, { messages: 0 }] },
    ]);
    expect(subscription.waitingSinceMs).toBeUndefined();
  });
});

describe('events for a dashboard without room', () => {
  const event = (n: number): string =>
    JSON.stringify({ event: 'refused', atMs: n, remoteAddress: 'x', reason: 'r', count: 1 });

  it('are missed and counted, and what comes after is told after the count', () => {
    const { parts, reads, taken } = bench(0);
    const subscription = new EventSubscription(parts({ kind: 'events' }));
    const told = (n: number): string => JSON.stringify({ type: 'event', id: 1, event: JSON.parse(event(n)) as object });
    subscription.happened(event(1), 1);
    reads(false);
    subscription.happened(event(2), 2);
    subscription.happened(event(3), 3);
    expect(subscription.waitingSinceMs).toBe(2);
    expect(subscription.tick()).toBe(false);
    reads(true);
    subscription.tick();
    subscription.happened(event(4), 4);

    expect(taken()).toEqual([told(1), missed(2), told(4)]);
    expect(subscription.waitingSinceMs).toBeUndefined();
  });
});
