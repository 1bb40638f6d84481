import { setImmediate as turn } from 'node:timers/promises';
import { COUNT, TAKE } from '../requests.mjs';

/** Messages that all connections together send before the event loop turns, at least one each. */
const MESSAGES_A_TURN = 64;

/**
 * Sends as fast as the connections allow for `ms`, then waits until the server has everything.
 * @returns messages a second, and the CPU time of this process for one in microseconds
 * @throws Error where something did not arrive
 */
export async function oneWay(connections, { bytes, ms }) {
  const message = new Uint8Array(bytes).fill(TAKE);
  const burst = Math.max(1, Math.floor(MESSAGES_A_TURN / connections.length));
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const sent = await Promise.all(
    connections.map(async (connection) => {
      let count = 0;
      while (performance.now() - start < ms) {
        for (let n = 0; n < burst; n++) {
          const taken = connection.send(message);
          if (taken) await taken;
        }
        count += burst;
        await turn();
      }
      const arrived = await countAt(connection);
      if (arrived !== count) throw new Error(`${arrived} of ${count} messages arrived`);
      return count;
    }),
  );
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  const count = sent.reduce((sum, each) => sum + each, 0);
  return { count, perSecond: (count / elapsedMs) * 1_000, cpuUs: (user + system) / count };
}

/** What the server has received, answered after everything before. */
function countAt(connection) {
  return new Promise((resolve) => {
    connection.receive = (reply) => resolve(new DataView(reply.buffer, reply.byteOffset).getFloat64(0));
    connection.send(Uint8Array.of(COUNT));
  });
}
