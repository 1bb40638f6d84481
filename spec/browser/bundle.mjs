/**
 * Bundles an entry for browsers as a script that defines the global `usmp`, and prints it. A program of its own: the bundler's
 * native part does not take objects from the context that Jest gives tests.
 */
import { resolve } from 'node:path';
import { build } from 'vite';

const [, , entry] = process.argv;
const [{ output }] = await build({
  configFile: false,
  logLevel: 'silent',
  resolve: { alias: { 'usmp-rx': resolve('src/index.ts') } },
  build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'usmp' } },
});
process.stdout.write(output[0].code);
