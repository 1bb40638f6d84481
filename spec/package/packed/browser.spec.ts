import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { Linter } from 'eslint';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { rollup, type OutputChunk } from 'rollup';
import { installPacked, type Installation } from './install.js';

/** What pages and workers have in common, as far as this package may use it. */
const webGlobals = {
  AbortController,
  AbortSignal,
  clearInterval,
  clearTimeout,
  console,
  crypto,
  DOMException,
  Event,
  EventTarget,
  performance,
  queueMicrotask,
  setInterval,
  setTimeout,
  TextDecoder,
  TextEncoder,
  URL,
};

let installed: Installation;
let chunk: OutputChunk;

beforeAll(async () => {
  installed = installPacked();
  const bundle = await rollup({
    input: join(installed.project, 'node_modules/usmp-rx/dist/index.js'),
    plugins: [nodeResolve({ browser: true, preferBuiltins: true })],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'usmp' });
  [chunk] = output;
}, 60_000);

afterAll(() => {
  installed.remove();
});

describe('usmp-rx in a browser', () => {
  it('bundles without a module of Node, or any other that is left outside', () => {
    expect(chunk.imports).toEqual([]);
    expect(Object.keys(chunk.modules).some((path) => path.includes('@noble'))).toBe(true);
  });

  it('asks for no global that browsers do not have', () => {
    // The runtime of compiled TypeScript asks whether there is an AsyncIterator before it uses it.
    const known = [...Object.keys(webGlobals), 'AsyncIterator'];
    const messages = new Linter().verify(chunk.code, {
      languageOptions: { sourceType: 'script', globals: Object.fromEntries(known.map((name) => [name, false])) },
      // Comments in the bundle are meant for the linter of the sources.
      linterOptions: { reportUnusedDisableDirectives: 'off' },
      rules: { 'no-undef': 'error' },
    });

    expect(messages.map(({ message }) => message)).toEqual([]);
  });

  it('evaluates where there is nothing but the web', () => {
    const context = createContext({ ...webGlobals });
    runInContext(`${chunk.code}; globalThis.usmp = usmp;`, context);

    expect(Object.keys(context['usmp'] as object).sort()).toEqual([...chunk.exports].sort());
    expect(runInContext("new usmp.ConfigError('CONFIG_PSK', 'short') instanceof usmp.UsmpError", context)).toBe(true);
  });
});
