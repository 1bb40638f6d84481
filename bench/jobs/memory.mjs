import { Competition } from '../competition.mjs';
import { Pair } from '../pair.mjs';

const NAMES = ['usmp', 'usmp-plain', 'tcp', 'tls13', 'tls-psk', 'ws', 'mqtt-qos0'];
const FEW = ['usmp', 'tcp', 'tls13', 'ws'];
/** Code is loaded, tables have grown and what the start freed is used up with these, which are not counted. */
const FIRST_CONNECTIONS = 1_000;
/** A process may open 20,000 files. */
const MAX_SILENT_CONNECTIONS = 5_000;
const OPEN_LIMIT_MS = 180_000;
/** A small young generation: how far V8 lets it grow is none of a connection's memory. */
const SERVER_NODE = ['--expose-gc', '--max-semi-space-size=1'];

/** @type {import('../run.mjs').Job} */
export const memory = {
  name: 'memory',
  title: 'Memory of connections that are idle, in the process of the server after garbage collection',

  async *run({ idleSessions, memoryRounds }, pick) {
    for (const count of idleSessions) {
      const silentCount = Math.min(count, MAX_SILENT_CONNECTIONS);
      // Each measurement takes fresh processes: memory that was used once is not given back.
      const competition = await Competition.start(pick(NAMES, FEW), async () => ({ stop: async () => {} }));
      const rows = await competition.measure({ rounds: memoryRounds, ms: 0, warmUpMs: 0 }, (_, _ms, name) =>
        measure(name, count, silentCount),
      );
      yield table(`${count.toLocaleString('en')} idle sessions, messages$ subscribed`, 'idle', rows);
      yield table(`${silentCount.toLocaleString('en')} connections that have sent nothing yet`, 'silent', rows);
    }
  },
};

const table = (what, kind, rows) => ({
  title: `Memory, ${what}`,
  reference: 'tcp',
  columns: [
    { key: `${kind}ResidentBytes`, title: 'resident bytes each' },
    { key: `${kind}HeapBytes`, title: 'of JavaScript, bytes each' },
  ],
  rows,
});

async function measure(name, count, silentCount) {
  const pair = await Pair.start(name, { serverNode: SERVER_NODE });
  const connect = (method, total) => pair.load.call(method, { address: pair.address, count: total }, OPEN_LIMIT_MS);
  try {
    await connect('open', FIRST_CONNECTIONS);
    const before = await pair.server.call('memory');
    await connect('open', FIRST_CONNECTIONS + count);
    const withIdle = await pair.server.call('memory');
    await connect('silent', silentCount);
    const withSilent = await pair.server.call('memory');
    return {
      idleResidentBytes: (withIdle.residentBytes - before.residentBytes) / count,
      idleHeapBytes: (withIdle.heapBytes - before.heapBytes) / count,
      silentResidentBytes: (withSilent.residentBytes - withIdle.residentBytes) / silentCount,
      silentHeapBytes: (withSilent.heapBytes - withIdle.heapBytes) / silentCount,
    };
  } finally {
    await pair.stop();
  }
}
