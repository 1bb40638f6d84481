import { Competition } from '../competition.mjs';
import { Pair } from '../pair.mjs';

const NAMES = ['usmp', 'usmp-plain', 'usmp-noble', 'tcp', 'tls13', 'tls-psk', 'ws', 'wss'];
const FEW = ['usmp', 'usmp-plain', 'tcp', 'tls13', 'tls-psk'];
const COLUMNS = [
  { key: 'serverUs', title: 'server CPU µs' },
  { key: 'perSecond', title: 'connections/s' },
];
const CONCURRENT = 32;

/** @type {import('../run.mjs').Job} */
export const handshakes = {
  name: 'handshakes',
  title: 'Handshakes: connect, shake hands in full, close; nothing is resumed',

  async *run(scale, pick) {
    const competition = await Competition.start(pick(NAMES, FEW), (name) => Pair.start(name));
    for (const [atOnce, how] of [
      [1, 'one after the other'],
      [CONCURRENT, `${CONCURRENT} at a time`],
    ]) {
      const rows = await competition.measure(scale, (pair, ms) => measure(pair, atOnce, ms));
      yield { title: `Handshakes, ${how}`, reference: 'tls13', columns: COLUMNS, rows };
    }
    await competition.stop();
  },
};

async function measure({ server, load, address }, atOnce, ms) {
  const cpuBeforeUs = await server.call('cpuUs');
  const { count, perSecond } = await load.call('handshakes', { address, ms, atOnce });
  return { perSecond, serverUs: ((await server.call('cpuUs')) - cpuBeforeUs) / count };
}
