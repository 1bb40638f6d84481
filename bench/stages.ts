/**
 * What the parts of one message cost, each on its own: node --import tsx bench/stages.ts <rounds> <milliseconds> <bytes>. Prints the
 * rows of a table as JSON.
 */
import { argv, exit, stdin, stdout } from 'node:process';
import { cryptographyStages } from './stages/cryptography.js';
import { frameStages } from './stages/frames.js';
import { reactiveStages } from './stages/reactive.js';
import { sessionStages } from './stages/session.js';
import { socketStages } from './stages/socket.js';
import { BURST, type Stage } from './stages/stage.js';

const [rounds, ms, bytes] = argv.slice(2).map(Number) as [number, number, number];
/** The stages are many, and the same for as long as they last. */
const MS_A_STAGE = ms / 4;

async function timeUs({ run }: Stage, messages: number): Promise<number> {
  const start = performance.now();
  await run(messages);
  return (performance.now() - start) * 1_000;
}

/** So many messages take about the time of a round, once they are warm. */
async function messagesInARound(stage: Stage): Promise<number> {
  for (let messages = BURST; ; messages *= 2) {
    if ((await timeUs(stage, messages)) > MS_A_STAGE * 500) return messages;
  }
}

// Whoever started this is gone.
stdin.on('end', () => exit()).resume();

const stages = [
  ...frameStages(bytes),
  ...cryptographyStages(bytes),
  ...reactiveStages(bytes),
  ...(await sessionStages(bytes)),
  ...(await socketStages(bytes)),
];
const rows = [];
for (const stage of stages) {
  rows.push({ stage, messages: await messagesInARound(stage), samples: [] as { us: number }[] });
}
for (let round = 0; round < rounds; round++) {
  for (const { stage, messages, samples } of rows) {
    samples.push({ us: (await timeUs(stage, messages)) / messages });
  }
}
stdout.write(JSON.stringify(rows.map(({ stage, samples }) => ({ name: stage.name, samples }))), () => exit());
