import { setTimeout as sleep } from 'node:timers/promises';
import { Competition } from '../competition.mjs';
import { sharedNowMs } from '../fan-out/clock.mjs';
import { Worker } from '../worker.mjs';

const DEVICES = 20;
const BYTES = 452;
/** 200 messages a second from all devices together. */
const EVERY_MS = 100;
const POLL_MS = 20;
const ARRIVAL_LIMIT_MS = 20_000;

const LATENCIES = [
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
];
const GATEWAY = { key: 'gatewayUs', title: 'gateway CPU µs/delivery', digits: 1 };
const MISSED = { key: 'missedPercent', title: 'missed %', digits: 1 };
const DELIVERED = { key: 'perSecond', title: 'deliveries/s' };

/** @type {import('../run.mjs').Job} */
export const fanOut = {
  name: 'fan-out',
  title: `Fan-out: ${DEVICES} devices, ${BYTES} bytes a message, a bridge, dashboards that subscribe to everything`,

  async *run(scale) {
    const names = scale.dashboards.map((count) => `${count} dashboard${count === 1 ? '' : 's'}`);
    const competition = await Competition.start(names, (name) => start(Number.parseInt(name, 10)));
    const paced = await competition.measure(scale, (trio, ms) => measure(trio, 'pace', 2 * ms));
    yield {
      title: `Fan-out, ${(DEVICES * 1_000) / EVERY_MS} messages a second`,
      columns: [LATENCIES[1], LATENCIES[0], GATEWAY, DELIVERED, MISSED],
      rows: paced,
    };
    const flooded = await competition.measure(scale, (trio, ms) => measure(trio, 'flood', ms));
    yield {
      title: 'Fan-out, devices send as fast as they may',
      columns: [DELIVERED, GATEWAY, MISSED, ...LATENCIES],
      rows: flooded,
    };
    await competition.stop();
  },
};

async function start(count) {
  const [gateway, devices, dashboards] = await Promise.all(
    ['gateway', 'devices', 'dashboards'].map((name) => Worker.start(`fan-out/${name}.mjs`)),
  );
  const { devicePort, dashboardPort } = await gateway.call('ports');
  await devices.call('connect', { devicePort, count: DEVICES });
  await dashboards.call('open', { dashboardPort, count, bytes: BYTES });
  const stop = () => Promise.all([gateway, devices, dashboards].map((worker) => worker.stop()));
  return { gateway, devices, dashboards, stop };
}

async function measure({ gateway, devices, dashboards }, method, ms) {
  await dashboards.call('clear');
  const cpuBeforeUs = await gateway.call('cpuUs');
  const startMs = sharedNowMs();
  const sent = await devices.call(method, { ms, everyMs: EVERY_MS, bytes: BYTES });
  await arrived(gateway, sent);
  const { delivered, missed, lastMs, p50Ms, p99Ms } = await dashboards.call('taken');
  return {
    perSecond: (delivered / (lastMs - startMs)) * 1_000,
    missedPercent: (100 * missed) / (delivered + missed),
    gatewayUs: ((await gateway.call('cpuUs')) - cpuBeforeUs) / delivered,
    p50Ms,
    p99Ms,
  };
}

async function arrived(gateway, sent) {
  const start = performance.now();
  while ((await gateway.call('received')) < sent) {
    if (performance.now() - start > ARRIVAL_LIMIT_MS) throw new Error('not all messages arrived at the gateway');
    await sleep(POLL_MS);
  }
}
