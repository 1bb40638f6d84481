import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const LIMIT_MS = 300_000;

/** @type {import('../run.mjs').Job} */
export const stages = {
  name: 'stages',
  title: 'Stages: what the parts of one message cost, each on its own in one process',

  async *run({ rounds, ms }) {
    const file = fileURLToPath(new URL('../stages.ts', import.meta.url));
    const args = ['--import', 'tsx', file, String(rounds), String(ms)];
    for (const bytes of [64, 452]) yield await measure([...args, String(bytes)], bytes);
  },
};

async function measure(args, bytes) {
  const columns = [{ key: 'us', title: 'µs/message', digits: 2 }];
  const title = `Stages, ${bytes} bytes`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
    return { title, columns, rows: JSON.parse(stdout) };
  } catch (error) {
    return { title, columns, rows: [{ name: 'all', failed: error.message.split('\n').at(-2) ?? error.message }] };
  }
}
