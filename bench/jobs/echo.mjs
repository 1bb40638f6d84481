import { Competition } from '../competition.mjs';
import { Pair } from '../pair.mjs';
import { PEERS } from '../peers/index.mjs';
import { canPin } from '../worker.mjs';

const BYTES = 452;
const COLUMNS = [
  { key: 'perSecond', title: 'round trips/s' },
  { key: 'p50Us', title: 'p50 µs' },
  { key: 'p99Us', title: 'p99 µs' },
  { key: 'p999Us', title: 'p99.9 µs' },
];
const FEW = ['usmp', 'usmp-plain', 'usmp-no-aead', 'tcp', 'tls13', 'ws', 'mqtt-qos1'];
/** An echo waits for each message anyway. */
const NAMES = PEERS.filter((name) => name !== 'usmp-await');

/** @type {import('../run.mjs').Job} */
export const echo = {
  name: 'echo',
  title: 'Echo: each message is sent when the one before has come back',

  async *run(scale, pick) {
    const names = pick(NAMES, FEW);
    if (canPin) yield* among(names, [1], 'both processes on one core', scale, 0);
    // From core to core one session measures how fast the machine wakes up.
    yield* among(names, scale.allPeers ? [1, 100] : [100], 'on two cores', scale);
  },
};

async function* among(names, counts, where, scale, core) {
  const competition = await Competition.start(names, (name) => Pair.start(name, { core }));
  for (const count of counts) {
    await competition.prepare((pair) => pair.open(count));
    const rows = await competition.measure(scale, ({ load }, ms) => load.call('echo', { bytes: BYTES, ms }));
    const title = `Echo, ${BYTES} bytes, ${count} session${count === 1 ? '' : 's'}, ${where}`;
    yield { title, reference: 'tls13', columns: COLUMNS, rows };
  }
  await competition.stop();
}
