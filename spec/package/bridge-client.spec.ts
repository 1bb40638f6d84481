import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';

const MAX_GZIP_BYTES = 12_000;

interface Chunk {
  readonly code: string;
  readonly imports: readonly string[];
  readonly modules: readonly string[];
}

const bundle = (entry: string): Chunk[] =>
  JSON.parse(execFileSync(process.execPath, ['spec/package/bundle.mjs', entry], { encoding: 'utf8' })) as Chunk[];

describe('usmp-rx/bridge-client in a browser', () => {
  const chunks = bundle('src/bridge/client/index.ts');

  it('is one file below 12 kB, minified and gzipped, without rxjs and with all else', () => {
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.modules.some((path) => path.includes('/valibot/'))).toBe(true);
    expect(gzipSync(chunks[0]!.code).length).toBeLessThan(MAX_GZIP_BYTES);
  });

  it('needs rxjs and nothing else, of Node least of all', () => {
    expect(chunks.flatMap(({ imports }) => imports)).toEqual(['rxjs']);
    expect(chunks.flatMap(({ modules }) => modules).filter((path) => /browser-external|node:/.test(path))).toEqual([]);
  });
});
