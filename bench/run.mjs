/**
 * Measures usmp-rx against what one would use instead, side by side on this machine: npm run bench, or after a build
 * node bench/run.mjs --help. docs/performance.md says what the tables mean.
 */
import { stderr, stdout } from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { resultDocument, resultFile } from './document.mjs';
import { echo } from './jobs/echo.mjs';
import { eventLoop } from './jobs/event-loop.mjs';
import { fanOut } from './jobs/fan-out.mjs';
import { handshakes } from './jobs/handshakes.mjs';
import { memory } from './jobs/memory.mjs';
import { oneWay } from './jobs/one-way.mjs';
import { stages } from './jobs/stages.mjs';
import { machine, machineLine } from './machine.mjs';
import { PEERS } from './peers/index.mjs';
import { scales } from './scale.mjs';
import { asText } from './table.mjs';

/**
 * @typedef {object} Job
 * @property {string} name
 * @property {string} title
 * @property {(scale: import('./scale.mjs').Scale, pick: (all: string[], few: string[]) => string[]) =>
 *   AsyncGenerator<import('./table.mjs').Table>} run `pick` says which peers are asked for.
 */

/** @type {Job[]} */
const jobs = [oneWay, echo, handshakes, memory, eventLoop, fanOut, stages];

function positive(text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a whole number above 0');
}

/** Reports a file that can't be written like any other wrong option. */
function writable(open) {
  return (path) => {
    try {
      return open(path);
    } catch (error) {
      throw new InvalidArgumentError(error.message);
    }
  };
}

const options = new Command('bench')
  .description('Measures usmp-rx against what one would use instead, side by side on this machine.')
  .option('--quick', 'less of everything: under two minutes')
  .addOption(new Option('--smoke', 'next to nothing of everything: does the suite work?').conflicts('quick'))
  .addOption(new Option('--only <names...>', 'some of the jobs').choices(jobs.map(({ name }) => name)))
  .addOption(new Option('--peers <names...>', 'some of the peers').choices(PEERS))
  .option('--rounds <n>', 'how often the competitors take turns', positive)
  .option('--json <file>', 'writes every number of every round', writable(resultFile))
  .option('--markdown <file>', 'writes the tables over those between the marks of a file', writable(resultDocument))
  .parse()
  .opts();

const scaleName = options.smoke ? 'smoke' : options.quick ? 'quick' : 'full';
const scale = { ...scales[scaleName], ...(options.rounds && { rounds: options.rounds, memoryRounds: options.rounds }) };
const pick = (all, few) =>
  options.peers ? all.filter((peer) => options.peers.includes(peer)) : scale.allPeers ? all : few;
const chosen = jobs.filter(({ name }) => options.only?.includes(name) ?? true);

const described = machine();
stdout.write(`${machineLine(described)}\n\n`);
const results = [];
for (const { name, title, run } of chosen) {
  stdout.write(`== ${title}\n\n`);
  const start = performance.now();
  const tables = [];
  try {
    for await (const table of run(scale, pick)) {
      tables.push(table);
      stdout.write(`${asText(table)}\n`);
    }
  } catch (error) {
    process.exitCode = 1;
    stdout.write(`failed: ${error.message}\n\n`);
  }
  stderr.write(`${name}: ${((performance.now() - start) / 1_000).toFixed(0)} s\n`);
  results.push({ name, title, tables });
}
const all = { machine: described, scale: { name: scaleName, ...scale }, jobs: results };
options.json?.(all);
options.markdown?.(all);
const failed = results.some(({ tables }) => tables.some(({ rows }) => rows.some((row) => row.failed !== undefined)));
if (failed) process.exitCode = 1;
