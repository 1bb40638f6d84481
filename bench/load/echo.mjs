import { quantile } from '../statistics.mjs';
import { ECHO } from '../requests.mjs';

/**
 * Each connection sends a message when the one before has come back, for `ms`.
 * @returns round trips a second of all together, and their times in microseconds
 */
export async function echo(connections, { bytes, ms }) {
  const message = new Uint8Array(bytes).fill(ECHO);
  const timesUs = [];
  const start = performance.now();
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise((resolve) => {
          let sentMs = performance.now();
          connection.receive = () => {
            const nowMs = performance.now();
            timesUs.push((nowMs - sentMs) * 1_000);
            if (nowMs - start >= ms) return resolve();
            sentMs = nowMs;
            connection.send(message);
          };
          connection.send(message);
        }),
    ),
  );
  const elapsedMs = performance.now() - start;
  const sorted = Float64Array.from(timesUs).sort();
  return {
    perSecond: (timesUs.length / elapsedMs) * 1_000,
    p50Us: quantile(sorted, 0.5),
    p99Us: quantile(sorted, 0.99),
    p999Us: quantile(sorted, 0.999),
  };
}
