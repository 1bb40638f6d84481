import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeMap } from 'rxjs';
import { text } from 'usmp-rx/testing';
import type { BridgeOptions } from '../../src/bridge/index.js';
import { BridgeCloseCode } from '../../src/bridge/protocol.js';
import { deviceIdOf, virtualBench } from '../server/bench.js';
import { activity, bridgeFor, closeBenches, type BridgeBench, type Dashboard, type Heard } from './bench.js';

const places: { readonly server: Server; readonly folder: string }[] = [];
afterEach(async () => {
  await closeBenches();
  for (const { server, folder } of places.splice(0)) {
    server.close();
    await rm(folder, { recursive: true });
  }
});

/** Dashboards on a Unix socket, for which the system buffers little: over TCP it is up to tens of megabytes. */
async function stallingBench(options: Partial<BridgeOptions> = {}): Promise<BridgeBench> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-'));
  const path = join(folder, 'socket');
  const server = createServer();
  places.push({ server, folder });
  await once(server.listen(path), 'listening');
  const bench = virtualBench();
  // The bridge only watches: somebody has to serve the sessions.
  bench.server.sessions$.pipe(mergeMap(({ messages$ }) => messages$)).subscribe();
  return bridgeFor(bench, { server, ...options }, `ws+unix:${path}:/bridge`);
}

type Device = Awaited<ReturnType<BridgeBench['device']>>;

/** More than is buffered in all for a reader that has stopped. */
const FLOOD_BYTES = 4 * 1_048_576;
/** So many rounds pass in one turn of the event loop. */
const ROUNDS_A_TURN = 20;
const PADDING = 'x'.repeat(1_790);

/** Fills the way to all dashboards that do not read. Each device sends `round` and a number; its last one is returned. */
async function flood(bench: BridgeBench, devices: readonly Device[], reader: Dashboard): Promise<number> {
  const rounds = Math.ceil(FLOOD_BYTES / (PADDING.length * devices.length));
  for (let round = 1; round <= rounds; round++) {
    for (const device of devices) device.send(`${round} ${PADDING}`);
    if (round % ROUNDS_A_TURN !== 0 && round !== rounds) continue;
    await bench.time.advance();
    // The sockets of the bench are real: they write when the event loop gets to it.
    await reader.heardByNow();
  }
  return rounds;
}

/** The rounds that were heard of each device. */
function roundsOf(heard: readonly Heard[]): Map<string, number[]> {
  const rounds = new Map<string, number[]>();
  for (const one of heard) {
    if (one.type !== 'message') continue;
    const round = Number.parseInt(text(one.payload), 10);
    rounds.set(one.deviceId, [...(rounds.get(one.deviceId) ?? []), round]);
  }
  return rounds;
}

const missedIn = (heard: readonly Heard[], id: number): number =>
  heard.reduce((sum, one) => (one.type === 'missed' && one.id === id ? sum + one.count : sum), 0);

const isSorted = (numbers: readonly number[]): boolean => numbers.every((n, at) => at === 0 || n > numbers[at - 1]!);

describe('a dashboard that does not read', () => {
  it('gets the latest of each device when it reads again, and is told how many it missed', async () => {
    const bench = await stallingBench({ drainTimeoutMs: 600_000 });
    const devices = [await bench.device(deviceIdOf(1)), await bench.device(deviceIdOf(2))];
    const [fast, slow] = [await bench.dashboard(), await bench.dashboard()];
    await slow.subscribe(1, 'messages');
    await slow.subscribe(2, 'events');
    slow.webSocket.pause();
    const rounds = await flood(bench, devices, fast);
    slow.webSocket.resume();
    const heard: Heard[] = [];
    while (missedIn(heard, 1) === 0 || heard.filter(({ type }) => type === 'message').length < 4) {
      heard.push(...(await slow.heardByNow()));
      await bench.time.advance(50);
    }
    heard.push(...(await slow.heardByNow()));
    const heardRounds = roundsOf(heard);

    for (const [, ofDevice] of heardRounds) {
      expect(ofDevice.at(-1)).toBe(rounds);
      expect(isSorted(ofDevice)).toBe(true);
    }
    const messages = heard.filter(({ type }) => type === 'message').length;
    expect(messages).toBeLessThan(2 * rounds);
    expect(messages + missedIn(heard, 1)).toBe(2 * rounds);
    expect(bench.bridge.clients).toBe(2);
  });

  it('holds up neither devices nor other dashboards, and loses them nothing', async () => {
    const bench = await stallingBench({ drainTimeoutMs: 600_000 });
    const device = await bench.device(deviceIdOf(1));
    const stalled = await bench.dashboard();
    const others = await Promise.all(Array.from({ length: 5 }, () => bench.dashboard()));
    await Promise.all([stalled, ...others].map((dashboard) => dashboard.subscribe(1, 'messages')));
    stalled.webSocket.pause();
    const served: number[] = [];
    bench.bench.sessions[0]!.messages$.subscribe((message) => served.push(message.length));
    const rounds = Math.ceil(FLOOD_BYTES / PADDING.length);
    const heard = others.map((): number[] => []);
    for (let round = 1; round <= rounds; round++) {
      device.send(`${round} ${PADDING}`);
      if (round % ROUNDS_A_TURN !== 0 && round !== rounds) continue;
      await bench.time.advance();
      for (const [at, other] of others.entries()) {
        heard[at]!.push(...(roundsOf(await other.heardByNow()).get(deviceIdOf(1)) ?? []));
      }
    }
    const all = Array.from({ length: rounds }, (_, n) => n + 1);

    expect(heard).toEqual(others.map(() => all));
    expect(served).toHaveLength(rounds);
    expect(bench.bridge.clients).toBe(6);
  });

  it('is closed with TOO_SLOW when the latest has waited for drainTimeoutMs, and nobody else is', async () => {
    const bench = await stallingBench({ drainTimeoutMs: 10_000 });
    const device = await bench.device();
    const [fast, slow] = [await bench.dashboard(), await bench.dashboard()];
    await slow.subscribe(1, 'messages');
    slow.webSocket.pause();
    await flood(bench, [device], fast);
    const closed = activity(bench, 'client-closed');
    await bench.time.advance(9_900);
    expect(bench.bridge.clients).toBe(2);
    await bench.time.advance(200);
    expect(bench.bridge.clients).toBe(1);
    slow.webSocket.resume();

    expect((await slow.closed).code).toBe(BridgeCloseCode.TOO_SLOW);
    expect(await closed).toMatchObject({ reason: 'TOO_SLOW' });
    expect(await fast.heardByNow()).toEqual([]);
  });

  it('is cut off where it does not even read the close', async () => {
    const bench = await stallingBench({ drainTimeoutMs: 10_000 });
    const device = await bench.device();
    const [fast, slow] = [await bench.dashboard(), await bench.dashboard()];
    await slow.subscribe(1, 'messages');
    slow.webSocket.pause();
    await flood(bench, [device], fast);
    const closed = activity(bench, 'client-closed');
    await bench.time.advance(15_200);

    expect(await closed).toMatchObject({ reason: 'TOO_SLOW' });
    expect(bench.bridge.clients).toBe(1);
  });

  it('is closed with TOO_SLOW as well where it is answers that it does not read', async () => {
    const bench = await stallingBench({ maxCommandsPerSecond: 1_000_000, maxBufferedBytes: 65_536 });
    const dashboard = await bench.dashboard();
    const closed = activity(bench, 'client-closed');
    dashboard.webSocket.pause();
    const batch = 500;
    for (let sent = 0; sent < 200_000 && bench.bridge.clients > 0; sent += batch) {
      for (let id = 0; id < batch; id++) dashboard.say({ type: 'unsubscribe', id });
      await new Promise<void>((resolve) => {
        dashboard.webSocket.ping(undefined, true, () => resolve());
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bench.bridge.clients).toBe(0);
    dashboard.webSocket.terminate();

    expect(await closed).toMatchObject({ reason: 'TOO_SLOW' });
  });
});
