import { setTimeout as sleep } from 'node:timers/promises';

/** Several, with time between them: finalizers of one leave garbage for the next, and freed pages go back later. */
const COLLECTIONS = 4;
const PAUSE_MS = 50;

/** Bytes that this process holds after garbage collection; needs --expose-gc. */
export async function memoryAfterCollection() {
  for (let n = 0; n < COLLECTIONS; n++) {
    globalThis.gc();
    await sleep(PAUSE_MS);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed + external };
}
