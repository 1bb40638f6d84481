import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';

/** The project's own rules, without those that need types, because the files that are linted here do not exist. */
const eslint = new ESLint({
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
});

/** Those of `lines` that are reported in the file. */
async function reported(filePath: string, lines: readonly string[]): Promise<string[]> {
  const results = await eslint.lintText(lines.join('\n'), { filePath });
  const messages = results.flatMap((result) => result.messages);
  expect(messages.filter(({ fatal }) => fatal)).toEqual([]);
  return lines.filter((_, index) => messages.some(({ line }) => line === index + 1));
}

const importsOf = (...specifiers: string[]): string[] => specifiers.map((specifier) => `import '${specifier}';`);

const session = ['protocol', 'crypto', 'transport'];
const peer = [...session, 'session'];
const mayImport: Record<string, string[]> = {
  protocol: [],
  crypto: ['protocol'],
  transport: ['protocol'],
  session,
  client: peer,
  server: peer,
  bridge: [...peer, 'server'],
  testing: [...peer, 'client', 'server', 'bridge'],
  gateway: [...peer, 'client', 'server', 'bridge', 'testing'],
};
const folders = Object.keys(mayImport);

describe('the layers of src/', () => {
  it.each(folders)('%s/ imports only what lies below it', async (folder) => {
    const others = folders.filter((other) => other !== folder);
    const forbidden = others.filter((other) => !mayImport[folder]?.includes(other));
    const imports = (names: string[], up = '..') => importsOf(...names.map((name) => `${up}/${name}/name.js`));

    expect(await reported(`src/${folder}/example.ts`, imports(others))).toEqual(imports(forbidden));
    expect(await reported(`src/${folder}/deeper/example.ts`, imports(others, '../..'))).toEqual(
      imports(forbidden, '../..'),
    );
    expect(await reported(`src/${folder}/example.ts`, importsOf('./own.js', './deeper/own.js'))).toEqual([]);
  });

  it.each(folders)('%s/ does not import an entry point', async (folder) => {
    const imports = importsOf('../index.js', '../node.js', 'usmp-rx', 'usmp-rx/node');

    expect(await reported(`src/${folder}/example.ts`, imports)).toEqual(imports);
  });

  it('re-exports and imports of types are arrows too', async () => {
    const lines = ["export { name } from '../server/name.js';", "import type { Name } from '../server/name.js';"];

    expect(await reported('src/session/example.ts', lines)).toEqual(lines);
  });

  it('no layer imports dynamically', async () => {
    const lines = ["export const lazy = import('./own.js');"];

    expect(await reported('src/session/example.ts', lines)).toEqual(lines);
  });
});

describe('packages', () => {
  const packages = [
    'node:net',
    'net',
    'rxjs',
    'ws',
    'valibot',
    '@noble/hashes/hmac.js',
    'usmp-rx/bridge-client',
    'other',
  ];

  it.each([
    ['src/protocol/example.ts', []],
    ['src/crypto/noble.ts', ['@noble/hashes/hmac.js']],
    ['src/crypto/node.ts', ['node:net']],
    ['src/crypto/fast-gcm/example.ts', ['node:net']],
    ['src/transport/memory.ts', ['rxjs']],
    ['src/transport/tcp.ts', ['node:net', 'rxjs']],
    ['src/transport/udp.ts', ['node:net', 'rxjs']],
    ['src/transport/websocket.ts', ['rxjs']],
    ['src/transport/websocket-listener.ts', ['node:net', 'rxjs', 'ws']],
    ['src/session/example.ts', ['rxjs']],
    ['src/client/example.ts', ['rxjs']],
    ['src/server/example.ts', ['node:net', 'rxjs']],
    ['src/bridge/example.ts', ['node:net', 'rxjs', 'ws']],
    ['src/bridge/protocol.ts', ['valibot']],
    ['src/bridge/client/example.ts', ['rxjs']],
    ['src/dashboard/example.ts', ['rxjs', 'usmp-rx/bridge-client']],
    ['src/testing/example.ts', ['rxjs']],
    ['src/gateway/example.ts', ['node:net', 'rxjs']],
    ['src/index.ts', []],
  ])('%s imports only its own', async (file, allowed) => {
    expect(await reported(file, importsOf(...packages))).toEqual(
      importsOf(...packages.filter((name) => !allowed.includes(name))),
    );
  });
});

describe('what runs in browsers', () => {
  const lines = ['Buffer.alloc(1);', 'globalThis.Buffer.alloc(1);', 'process.cwd();', "require('net');"];

  it.each([
    'src/protocol/example.ts',
    'src/crypto/noble.ts',
    'src/transport/memory.ts',
    'src/session/example.ts',
    'src/client/example.ts',
    'src/transport/websocket.ts',
    'src/bridge/client/example.ts',
    'src/dashboard/example.ts',
    'src/index.ts',
  ])('%s uses no Node global', async (file) => {
    expect(await reported(file, lines)).toEqual(lines);
  });

  it.each(['src/crypto/node.ts', 'src/transport/tcp.ts', 'src/server/example.ts'])('%s may', async (file) => {
    expect(await reported(file, lines)).toEqual([]);
  });
});

describe('protocol/', () => {
  it('knows no promise, no clock, no timer, no randomness and no output', async () => {
    const lines = [
      'export async function f() {}',
      'export const g = async () => {};',
      'export const h: Promise<void> = 0 as never;',
      'Promise.resolve();',
      'globalThis.Promise.resolve();',
      "console.log('');",
      'new Date();',
      'Date.now();',
      'performance.now();',
      'setTimeout(() => {}, 1);',
      'setInterval(() => {}, 1);',
      'queueMicrotask(() => {});',
      'Math.random();',
      'crypto.getRandomValues(new Uint8Array(1));',
      'globalThis.crypto.getRandomValues(new Uint8Array(1));',
    ];

    expect(await reported('src/protocol/example.ts', lines)).toEqual(lines);
  });

  it('uses the language', async () => {
    const lines = ['new TextEncoder().encode("");', 'new Uint8Array(1);', 'Math.min(1, 2);', 'export function* f() {}'];

    expect(await reported('src/protocol/example.ts', lines)).toEqual([]);
  });
});

describe('what waits', () => {
  const onTheClock = ['setTimeout(() => {}, 1);', 'Date.now();', 'timer(1);', 'interval(1);', 'timeout({ each: 1 });'];
  const onTheScheduler = ['timer(1, scheduler);', 'delay(1, this.scheduler);', 'timeout({ each: 1, scheduler });'];

  it.each(['session', 'client', 'server', 'transport', 'testing'])('%s/ takes the scheduler', async (folder) => {
    const lines = [...onTheClock, ...onTheScheduler];

    expect(await reported(`src/${folder}/example.ts`, lines)).toEqual(onTheClock);
  });
});
