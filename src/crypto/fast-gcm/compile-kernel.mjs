/**
 * Compiles kernel/*.as to the module in kernel.ts: node src/crypto/fast-gcm/compile-kernel.mjs
 * The sources are no TypeScript that tsc, ESLint or Biome could read, hence their ending; the compiler is told that they end in `.ts`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Of 64 KiB; what layout.as lays out. */
const MEMORY_PAGES = '52';

/** The sources by their names without ending. */
export const kernelSources = () =>
  Object.fromEntries(
    readdirSync(here('kernel')).map((file) => [file.replace('.as', ''), readFileSync(here(`kernel/${file}`), 'utf8')]),
  );

/** The WebAssembly module as bytes. It imports nothing. */
export async function compileKernel(sources = kernelSources()) {
  let binary;
  const options = [
    '-O3',
    '--converge',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--use',
    'abort=',
    '--disableWarning',
    '112',
  ];
  let said = '';
  const { error } = await asc.main(
    [
      'kernel.ts',
      ...options,
      '--initialMemory',
      MEMORY_PAGES,
      '--maximumMemory',
      MEMORY_PAGES,
      '--outFile',
      'kernel.wasm',
    ],
    {
      stderr: { write: (text) => (said += text) },
      readFile: (name) => sources[name.replace('.ts', '')] ?? null,
      writeFile: (name, contents) => {
        if (name === 'kernel.wasm') binary = contents;
      },
      listFiles: () => [],
    },
  );
  // It also says things that are no mistake.
  if (error) throw new Error(said, { cause: error });
  return binary;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const binary = await compileKernel();
  const base64 = Buffer.from(binary).toString('base64');
  const lines = base64.match(/.{1,110}/g).map((line) => `  '${line}',`);
  writeFileSync(
    here('kernel.ts'),
    `/**
 * The WebAssembly module that compile-kernel.mjs makes of kernel/*.as, in base64. Do not edit: a test compiles it again and compares.
 */
export const kernel = [
${lines.join('\n')}
].join('');
`,
  );
  stdout.write(`kernel.ts: ${binary.length} bytes of WebAssembly\n`);
}
