/** Dashboards that subscribe to all messages and say how old each was. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { answer } from '../answering.mjs';
import { quantile } from '../statistics.mjs';
import { sharedNowMs } from './clock.mjs';
import { token } from './credentials.mjs';

/** Nothing comes any more when nothing came for so long. */
const QUIET_MS = 300;

let agesMs = [];
let missed = 0;
let lastMs = 0;
let payloadBytes = 0;

answer({
  async open({ dashboardPort, count, bytes }) {
    payloadBytes = bytes;
    await Promise.all(Array.from({ length: count }, () => open(dashboardPort)));
  },
  clear() {
    agesMs = [];
    missed = 0;
  },
  /** What came since `clear`, once nothing comes any more. */
  async taken() {
    for (let count = -1; count < agesMs.length; await sleep(QUIET_MS)) count = agesMs.length;
    if (agesMs.length === 0) throw new Error('nothing was delivered');
    const sorted = Float64Array.from(agesMs).sort();
    return { delivered: sorted.length, missed, lastMs, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  },
});

async function open(port) {
  const protocols = ['usmp-bridge.v1', `usmp-token.${Buffer.from(token).toString('base64url')}`];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/bridge`, protocols);
  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      lastMs = sharedNowMs();
      agesMs.push(lastMs - data.readDoubleBE(data.length - payloadBytes));
      return;
    }
    const told = JSON.parse(data);
    if (told.type === 'missed') missed += told.count;
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, kind: 'messages' }));
  await once(socket, 'message');
}
