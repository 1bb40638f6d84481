// `npm start`: builds the gateway where its sources are newer, then runs it in this very process, so that the arguments,
// Ctrl-C and the exit code are the gateway's own.
import { readdirSync, statSync } from 'node:fs';

const built = 'dist/gateway.js';
// What is built last: a build that broke off is none.
const builtLast = 'dist/dashboard/index.html';
const sources = ['src', 'rollup.config.mjs', 'vite.config.ts', 'package.json'];

function pathsIn(path) {
  const names = statSync(path).isDirectory() ? readdirSync(path) : [];
  return [path, ...names.flatMap((name) => pathsIn(`${path}/${name}`))];
}

function isUpToDate() {
  const builtAt = statSync(builtLast, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.flatMap(pathsIn).every((path) => statSync(path).mtimeMs <= builtAt);
}

if (!isUpToDate()) {
  console.log('Building …');
  const { rollup } = await import('rollup');
  const { javascript } = await import('../../rollup.config.mjs');
  const bundle = await rollup(javascript);
  await bundle.write(javascript.output);
  await bundle.close();
  const { build } = await import('vite');
  await build({ logLevel: 'error' });
}

await import(new URL(`../../${built}`, import.meta.url).href);
