/**
 * What sessions that do nothing hold: node --expose-gc bench/guards/idle-sessions.mjs. Both ends are here; the clients leave
 * before the second reading, so that each end is counted on its own.
 */
import { memoryAfterCollection } from '../memory-after-collection.mjs';
import { report } from './guard.mjs';
import { IDLE_SESSION_BYTES, TIMERS_OF_IDLE_SESSIONS } from './limits.mjs';
import { startServer } from './pair.mjs';

// However long it takes, all sessions are opened at the same moment, so that what is due at the same time is known.
const stillMs = performance.now();
performance.now = () => stillMs;

const SESSIONS = 1_000;
/** These pay for what all share. */
const WARM_UP_SESSIONS = 200;

const open = await startServer({});
async function openSessions(count) {
  const pairs = [];
  for (let n = 0; n < count; n++) {
    const pair = await open();
    pair.clientSession.messages$.subscribe({ error() {} });
    pair.serverSession.messages$.subscribe({ error() {} });
    pairs.push(pair);
  }
  return pairs;
}

/** Gives the servers' halves, with their clients gone. */
async function leave(pairs) {
  const halves = pairs.map(({ serverSession, serverEnd }) => ({ serverSession, serverEnd }));
  await Promise.all(
    pairs.splice(0).map(({ client, clientEnd }) => {
      clientEnd.leave();
      return client.close();
    }),
  );
  return halves;
}

const first = await leave(await openSessions(WARM_UP_SESSIONS));
const { heapBytes: before } = await memoryAfterCollection();
const pairs = await openSessions(SESSIONS);
const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const { heapBytes: both } = await memoryAfterCollection();
const halves = await leave(pairs);
const { heapBytes: servers } = await memoryAfterCollection();
// Rejects where a session is over.
await Promise.all([...first, ...halves].map(({ serverSession }) => serverSession.send('still here')));

const ofServer = Math.round((servers - before) / SESSIONS);
const ofClient = Math.round((both - servers) / SESSIONS);
report([
  {
    name: 'bytes that an idle session holds in the server',
    counted: ofServer,
    limit: IDLE_SESSION_BYTES.server,
    least: 500,
  },
  {
    name: 'bytes that an idle session holds in the client',
    counted: ofClient,
    limit: IDLE_SESSION_BYTES.client,
    least: 500,
  },
  {
    name: `timers of the runtime for ${SESSIONS} idle sessions`,
    counted: timers,
    limit: TIMERS_OF_IDLE_SESSIONS,
    least: 1,
  },
]);
