/**
 * Counts that must not grow: allocations, writes, native calls, promises, timers, memory of idle sessions. None of them depends on
 * how fast the machine is or what else it does. After a build: node bench/guards.mjs. Exits with 1 where one is exceeded.
 */
import { execFile } from 'node:child_process';
import { execPath, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Nothing is collected while allocations are counted, and V8 compiles what it compiles at the same message every time. */
const DETERMINISTIC = [
  '--expose-gc',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
  '--single-threaded-gc',
  '--no-concurrent-recompilation',
  '--no-memory-reducer',
];

/** Each in a process of its own: none sees what another one has warmed up or replaced. */
const programs = [
  { file: 'bursts.mjs' },
  { file: 'native-calls.mjs' },
  { file: 'idle-sessions.mjs', flags: ['--expose-gc'] },
  ...['fastNodeCrypto', 'nodeCrypto'].flatMap((provider) =>
    ['64', '452'].map((length) => ({ file: 'allocations.mjs', flags: DETERMINISTIC, args: [provider, length] })),
  ),
];
/** Ends what hangs. */
const LIMIT_MS = 120_000;

async function guardsOf({ file, flags = [], args = [] }) {
  const path = fileURLToPath(new URL(`guards/${file}`, import.meta.url));
  const result = await promisify(execFile)(execPath, [...flags, path, ...args], { timeout: LIMIT_MS });
  return JSON.parse(result.stdout);
}

/** What is wrong, if anything. @param {import('./guards/guard.mjs').Guard} guard */
function objection({ name, counted, limit, least }) {
  if (counted > limit) return `Regression: ${counted} ${name}, where at most ${limit} are allowed.`;
  // Also where it is no number.
  if (!(counted >= least)) return `Not counted right: ${counted} ${name}, where the work takes at least ${least}.`;
  return undefined;
}

const objections = [];
let passed = 0;
for (const program of programs) {
  try {
    for (const guard of await guardsOf(program)) {
      const wrong = objection(guard);
      if (wrong) objections.push(wrong);
      else passed++;
      stdout.write(`${wrong ? 'FAILED' : 'ok    '} ${guard.counted} ${guard.name} (limit ${guard.limit})\n`);
    }
  } catch (error) {
    objections.push(`${[program.file, ...(program.args ?? [])].join(' ')} failed: ${error.message}`);
  }
}
for (const wrong of objections) stdout.write(`\n${wrong}\n`);
stdout.write(`\n${passed} passed, ${objections.length} failed\n`);
if (objections.length > 0) process.exitCode = 1;
