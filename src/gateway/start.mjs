// `npm start`: builds the gateway where its sources are newer, then runs it in this very process, so that the arguments,
// Ctrl-C and the exit code are the gateway's own.
import { readdirSync, statSync } from 'node:fs';

const built = 'dist/gateway.js';
const sources = ['src', 'rollup.config.mjs', 'package.json'];

function pathsIn(path) {
  const names = statSync(path).isDirectory() ? readdirSync(path) : [];
  return [path, ...names.flatMap((name) => pathsIn(`${path}/${name}`))];
}

function isUpToDate() {
  const builtAt = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.flatMap(pathsIn).every((path) => statSync(path).mtimeMs <= builtAt);
}

if (!isUpToDate()) {
  console.log('Building …');
  const { rollup } = await import('rollup');
  const { javascript } = await import('../../rollup.config.mjs');
  const bundle = await rollup(javascript);
  await bundle.write(javascript.output);
  await bundle.close();
}

await import(new URL(`../../${built}`, import.meta.url).href);
