import { Competition } from '../competition.mjs';
import { Pair } from '../pair.mjs';

const NAMES = ['usmp', 'usmp-plain', 'tls13', 'ws', 'mqtt-qos0'];
const FEW = ['usmp', 'tls13', 'ws'];
const COLUMNS = [
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'maxMs', title: 'longest ms', digits: 1 },
];

/** @type {import('../run.mjs').Job} */
export const eventLoop = {
  name: 'event-loop',
  title: 'Event loop of the server under load: how late a timer of 1 ms is',

  async *run(scale, pick) {
    const { sessions } = scale;
    const loads = [
      { load: 'one way, 452 bytes, 1 session', open: 1, method: 'oneWay', params: { bytes: 452 } },
      { load: 'echo, 452 bytes, 100 sessions', open: 100, method: 'echo', params: { bytes: 452 } },
      { load: `one way, 64 bytes, ${sessions} sessions`, open: sessions, method: 'oneWay', params: { bytes: 64 } },
      {
        load: `32 handshakes at a time beside ${sessions} idle sessions`,
        open: sessions,
        method: 'handshakes',
        params: { atOnce: 32 },
      },
    ];
    const competition = await Competition.start(pick(NAMES, FEW), (name) => Pair.start(name));
    for (const { load, open, method, params } of loads) {
      await competition.prepare((pair) => pair.open(open));
      const rows = await competition.measure(scale, (pair, ms) => measure(pair, method, { ...params, ms }));
      yield { title: `Event loop, ${load}`, columns: COLUMNS, rows };
    }
    await competition.stop();
  },
};

async function measure({ server, load, address }, method, params) {
  await server.call('startDelay');
  await load.call(method, { ...params, address });
  return server.call('stopDelay');
}
