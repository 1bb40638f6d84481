import { rmSync } from 'node:fs';
import { dts } from 'rollup-plugin-dts';
import ts from 'typescript';

const entryPoints = {
  index: 'src/index.ts',
  node: 'src/node.ts',
  bridge: 'src/bridge/index.ts',
  'bridge-client': 'src/bridge/client/index.ts',
  testing: 'src/testing/index.ts',
};
const isOutside = (id) => !/^[./]/.test(id);

/** Takes the types away file by file, which is all that isolatedModules needs; `npm run check:types` checks them. */
const typescript = {
  name: 'typescript',
  resolveId(id, importer) {
    return importer && id.startsWith('.')
      ? this.resolve(id.replace(/\.js$/, '.ts'), importer, { skipSelf: true })
      : null;
  },
  transform(code, fileName) {
    const compilerOptions = { target: 'ES2022', module: 'ESNext', verbatimModuleSyntax: true, sourceMap: true };
    const { outputText, sourceMapText } = ts.transpileModule(code, { fileName, compilerOptions });
    return { code: outputText, map: sourceMapText };
  },
};

const clean = {
  name: 'clean',
  renderStart: () => rmSync('dist', { recursive: true, force: true }),
};

/** Chunks hold what entry points share. None is merged into an entry point: that would add to what it exports. */
const output = (extension) => ({
  dir: 'dist',
  chunkFileNames: `shared/[name]-[hash].${extension}`,
  experimentalMinChunkSize: 0,
});

/** One build for all entry points, so that a class is the same class in each of them. */
export const javascript = {
  input: { ...entryPoints, gateway: 'src/gateway/main.ts' },
  external: isOutside,
  plugins: [typescript, clean],
  output: { ...output('js'), sourcemap: true },
};

export const types = {
  input: entryPoints,
  external: isOutside,
  plugins: [dts()],
  output: output('d.ts'),
};

export default [javascript, types];
