/**
 * Does one dashboard that reads nothing slow the others? 100 dashboards in a process of their own, all of them reading, or one of
 * them stalled; the two cases take turns. Run it after a build: node bench/stalled-dashboard.mjs
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bridge } from 'usmp-rx/bridge';
import { UsmpClient, UsmpServer } from 'usmp-rx/node';
import { WebSocket } from 'ws';

const DASHBOARDS = 100;
const DEVICES = 20;
const MESSAGE_BYTES = 1_000;
const EVERY_MS = 100;
const ROUNDS = 5;
const ROUND_MS = 4_000;
const WARM_UP_MS = 1_000;
const token = 'a token for measurements';
const psk = 'a pre-shared key for measurements';
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const nowMs = () => performance.timeOrigin + performance.now();

if (argv[2] === 'dashboards') process.on('message', (task) => void measureRound(task));
else await run();

async function run() {
  const server = new UsmpServer({ psk });
  server.sessions$.subscribe(({ messages$ }) => messages$.subscribe({ error: () => {} }));
  const { tcp } = await server.listen({ tcp: { port: 0 } });
  // A Unix socket: over TCP on loopback the kernel would take megabytes before anybody feels the stall.
  const directory = mkdtempSync(join(tmpdir(), 'usmp-bench-'));
  const path = join(directory, 'bridge');
  const http = createServer().listen(path);
  const bridged = bridge(server, { server: http, tokens: [{ token, role: 'read' }] });
  await bridged.listen();
  const devices = Array.from({ length: DEVICES }, (_, n) => {
    const deviceId = `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
    return new UsmpClient({ port: tcp.port, deviceId, psk });
  });
  await Promise.all(devices.map((device) => device.connect()));
  const sending = setInterval(() => {
    for (const device of devices) {
      const message = new Uint8Array(MESSAGE_BYTES);
      new DataView(message.buffer).setFloat64(0, nowMs());
      void device.send(message);
    }
  }, EVERY_MS);

  const dashboards = fork(fileURLToPath(import.meta.url), ['dashboards']);
  const p99s = { reading: [], stalled: [] };
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const name = round % 2 === 0 ? 'reading' : 'stalled';
    dashboards.send({ path, stalled: name === 'stalled' ? 1 : 0 });
    const { p50, p99, count } = await new Promise((resolve) => dashboards.once('message', resolve));
    p99s[name].push(p99);
    console.log(`${name.padEnd(8)} ${count} messages, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
  const [reading, stalled] = [median(p99s.reading), median(p99s.stalled)];
  console.log(
    `p99 with one stalled against none: ${stalled.toFixed(2)} / ${reading.toFixed(2)} = ${(stalled / reading).toFixed(2)}`,
  );
  clearInterval(sending);
  dashboards.disconnect();
  await bridged.close();
  http.close();
  rmSync(directory, { recursive: true });
  await Promise.all(devices.map((device) => device.close()));
  await server.close();
}

/** All dashboards subscribe to all messages; those that read tell how old each is. */
async function measureRound({ path, stalled }) {
  const latencies = [];
  let counts = false;
  const sockets = await Promise.all(
    Array.from({ length: DASHBOARDS }, (_, n) =>
      open(path, n < stalled, (latency) => counts && latencies.push(latency)),
    ),
  );
  await sleep(WARM_UP_MS);
  counts = true;
  await sleep(ROUND_MS);
  for (const socket of sockets) socket.terminate();
  latencies.sort((a, b) => a - b);
  const at = (quantile) => latencies[Math.floor(quantile * (latencies.length - 1))];
  process.send({ p50: at(0.5), p99: at(0.99), count: latencies.length });
}

function open(path, isStalled, onLatency) {
  return new Promise((resolve, reject) => {
    const protocols = ['usmp-bridge.v1', `usmp-token.${Buffer.from(token).toString('base64url')}`];
    const socket = new WebSocket(`ws+unix:${path}:/bridge`, protocols);
    socket.on('error', reject);
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'subscribe', id: 1, kind: 'messages' }));
      if (isStalled) socket.pause();
      resolve(socket);
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) onLatency(nowMs() - data.readDoubleBE(data.length - MESSAGE_BYTES));
    });
  });
}

process.once('disconnect', () => exit());
