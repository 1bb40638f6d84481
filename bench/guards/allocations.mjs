/**
 * Bytes allocated for a message, on the JavaScript heap and in array buffers: node <FLAGS of ../guards.mjs>
 * bench/guards/allocations.mjs <provider> <bytes>. The young generation is so large that nothing is collected while we count, so
 * what is in use has grown by exactly what was allocated.
 */
import { argv } from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { GCProfiler } from 'node:v8';
import { fastNodeCrypto, nodeCrypto } from 'usmp-rx/node';
import { check, report } from './guard.mjs';
import { ALLOCATED_BYTES } from './limits.mjs';
import { startServer } from './pair.mjs';

const [provider, length] = argv.slice(2);
const BURST = 64;
const BURSTS = 128;
const MESSAGES = BURST * BURSTS;
/** Beside its message. */
const FRAME_BYTES = 40;
/** Before V8 has compiled everything that is worth it, more is allocated. */
const WARM_UP_ROUNDS = 5;
const ROUNDS = 5;

/** Runs `work`; gives what it allocated for each message. */
async function allocated(work) {
  globalThis.gc();
  const profiler = new GCProfiler();
  profiler.start();
  const before = process.memoryUsage();
  await work();
  const after = process.memoryUsage();
  check(profiler.stop().statistics.length === 0, 'so much was allocated that garbage was collected meanwhile');
  return {
    heap: (after.heapUsed - before.heapUsed) / MESSAGES,
    buffers: (after.arrayBuffers - before.arrayBuffers) / MESSAGES,
  };
}

const open = await startServer({ crypto: { fastNodeCrypto, nodeCrypto }[provider] });
const { clientSession, serverSession, serverEnd } = await open();
const message = new Uint8Array(Number(length)).fill(7);
let received = 0;
serverSession.messages$.subscribe(() => {
  received++;
});
await turn();
serverEnd.isHolding = true;
serverEnd.store = new Uint8Array(MESSAGES * (Number(length) + FRAME_BYTES));

async function send() {
  for (let burst = 0; burst < BURSTS; burst++) {
    for (let n = 0; n < BURST; n++) clientSession.send(message);
    await turn();
  }
}

const rounds = [];
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
  rounds.push({ sent: await allocated(send), received: await allocated(() => serverEnd.release()) });
  check(received === (round + 1) * MESSAGES, `${received} messages arrived`);
}

/** What V8 itself allocates now and then comes on top: the least of all rounds is what the messages take. */
const least = (of) => Math.round(Math.min(...rounds.slice(WARM_UP_ROUNDS).map(of)));
const limits = ALLOCATED_BYTES[provider][length];
const needed = { sent: { heap: 1, buffers: Number(length) }, received: { heap: 1, buffers: 1 } };
report(
  [
    ['sent', 'heap', 'bytes on the JavaScript heap'],
    ['sent', 'buffers', 'bytes of array buffers'],
    ['received', 'heap', 'bytes on the JavaScript heap'],
    ['received', 'buffers', 'bytes of array buffers'],
  ].map(([way, where, what]) => ({
    name: `${what} for a message of ${length} bytes ${way} with ${provider}`,
    counted: least((round) => round[way][where]),
    limit: limits[way][where],
    least: needed[way][where],
  })),
);
