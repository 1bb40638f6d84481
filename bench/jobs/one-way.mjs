import { Competition } from '../competition.mjs';
import { Pair } from '../pair.mjs';
import { PEERS } from '../peers/index.mjs';

const COLUMNS = [
  { key: 'perSecond', title: 'messages/s' },
  { key: 'megabytes', title: 'MB/s', digits: 1 },
  { key: 'receiverUs', title: 'receiver µs/message', digits: 2 },
  { key: 'senderUs', title: 'sender µs/message', digits: 2 },
];
const COMPARED_BYTES = [64, 452];
const FEW = ['usmp', 'usmp-plain', 'usmp-no-aead', 'tcp', 'tls13', 'tls-psk', 'ws', 'mqtt-qos0', 'mqtt-qos1'];
const MATRIX_VARIANTS = ['usmp', 'usmp-plain', 'usmp-chacha', 'usmp-noble'];

/** @type {import('../run.mjs').Job} */
export const oneWay = {
  name: 'one-way',
  title: 'One way: messages from client to server as fast as they go',

  async *run(scale, pick) {
    yield* among(pick(PEERS, FEW), [[1, COMPARED_BYTES]], 'tls13', scale);
    const others = scale.sizes.filter((size) => !COMPARED_BYTES.includes(size));
    const matrix = [
      [1, others],
      [10, scale.sizes],
      [scale.sessions, scale.sizes],
    ];
    yield* among(pick(MATRIX_VARIANTS, ['usmp', 'usmp-plain']), matrix, 'usmp-plain', scale);
  },
};

async function* among(names, matrix, reference, scale) {
  const competition = await Competition.start(names, (name) => Pair.start(name));
  for (const [sessions, sizes] of matrix) {
    await competition.prepare((pair) => pair.open(sessions));
    for (const bytes of sizes) {
      const rows = await competition.measure(scale, (pair, ms) => measure(pair, bytes, ms));
      const title = `One way, ${bytes} bytes, ${sessions} session${sessions === 1 ? '' : 's'}`;
      yield { title, reference, columns: COLUMNS, rows };
    }
  }
  await competition.stop();
}

async function measure({ server, load }, bytes, ms) {
  const cpuBeforeUs = await server.call('cpuUs');
  const { count, perSecond, cpuUs } = await load.call('oneWay', { bytes, ms });
  const receiverUs = ((await server.call('cpuUs')) - cpuBeforeUs) / count;
  return { perSecond, megabytes: (perSecond * bytes) / 1e6, receiverUs, senderUs: cpuUs };
}
