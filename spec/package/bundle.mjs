/**
 * Bundles an entry for browsers, minified and without rxjs, and prints what came out as JSON. A program of its own: the bundler's
 * native part does not take objects from the context that Jest gives tests.
 */
import { build } from 'vite';

const [, , entry] = process.argv;
const [{ output }] = await build({
  configFile: false,
  logLevel: 'silent',
  build: {
    write: false,
    lib: { entry, formats: ['es'] },
    // By itself it keeps the white space of libraries.
    rolldownOptions: { external: ['rxjs'], output: { minify: true } },
  },
});
const chunks = output.map(({ code, imports, dynamicImports, modules }) => {
  return { code, imports: [...imports, ...dynamicImports], modules: Object.keys(modules) };
});
console.log(JSON.stringify(chunks));
