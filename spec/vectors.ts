import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from '@jest/globals';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

/** Where vector files are looked for, first hit first. */
const folders = [
  ...(process.env['USMP_VECTORS'] ? [process.env['USMP_VECTORS']] : []),
  join(projectRoot, '..', 'shared', 'vectors'),
  join(projectRoot, 'spec', 'vectors'),
];

/** The path of a vector file like `golden.json` or `wycheproof/x25519_test.json`, or undefined where it is nowhere. */
export const findVectors = (name: string): string | undefined =>
  folders.map((folder) => join(folder, name)).find((path) => existsSync(path));

/**
 * A `describe` over a vector file, which `body` gets parsed and whose type `body` declares. Without the file it is skipped
 * and says so; with CI set it fails.
 */
export function describeVectors(name: string, body: (file: never) => void): void {
  const path = findVectors(name);
  if (path) {
    describe(name, () => {
      body(JSON.parse(readFileSync(path, 'utf8')) as never);
    });
    return;
  }
  const collection = name.split('/', 1)[0]?.replace(/\.json$/, '');
  const missing = `${collection} vectors not found (set USMP_VECTORS)`;
  if (process.env['CI']) {
    it(`${name} is there`, () => {
      throw new Error(missing);
    });
    return;
  }
  console.warn(`SKIPPED: ${missing}: ${name}`);
  describe.skip(name, () => {
    it(`SKIPPED: ${missing}`, () => {});
  });
}

/** The bytes of hexadecimal digits. */
export const fromHex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
