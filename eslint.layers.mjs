import { builtinModules } from 'node:module';

/*
 * Which way imports point in src/, and what each part may touch of the world around it, as ESLint rules.
 */

const session = ['protocol', 'crypto', 'transport'];
const peers = [...session, 'session'];
const product = [...peers, 'client', 'server', 'bridge'];
const everything = [...product, 'testing', 'gateway', 'dashboard'];

/**
 * The other folders of src/ and the packages that a part may import. Where several rows match a file, the last counts.
 * A part without `node:` also runs in browsers, so it gets no Node globals.
 */
const parts = {
  'src/protocol/**': { folders: [], packages: [] },
  'src/crypto/**': { folders: ['protocol'], packages: [] },
  'src/crypto/noble.ts': { folders: ['protocol'], packages: ['@noble/'] },
  'src/crypto/node*.ts': { folders: ['protocol'], packages: ['node:'] },
  'src/crypto/fast-gcm/**': { folders: ['protocol'], packages: ['node:'] },
  'src/transport/**': { folders: ['protocol'], packages: ['rxjs'] },
  'src/transport/tcp*.ts': { folders: ['protocol'], packages: ['rxjs', 'node:'] },
  'src/transport/udp*.ts': { folders: ['protocol'], packages: ['rxjs', 'node:'] },
  'src/transport/websocket-{listener,connection,port}.ts': { folders: ['protocol'], packages: ['rxjs', 'node:', 'ws'] },
  'src/session/**': { folders: session, packages: ['rxjs'] },
  'src/client/**': { folders: peers, packages: ['rxjs'] },
  'src/server/**': { folders: peers, packages: ['rxjs', 'node:'] },
  'src/bridge/**': { folders: [...peers, 'server'], packages: ['rxjs', 'node:', 'ws'] },
  'src/bridge/protocol.ts': { folders: [], packages: ['valibot'] },
  'src/bridge/payload-frame.ts': { folders: [], packages: [] },
  'src/bridge/client/**': { folders: ['protocol', 'session'], packages: ['rxjs'] },
  'src/dashboard/**': { folders: [], packages: ['rxjs', 'uplot', 'usmp-rx/bridge-client'] },
  'src/testing/**': { folders: product, packages: ['rxjs'] },
  'src/gateway/**': { folders: [...product, 'testing'], packages: ['rxjs', 'node:', 'commander'] },
  'src/index.ts': { folders: [...peers, 'client'], packages: [] },
  'src/node.ts': { folders: product, packages: [] },
};

const nodeGlobals = ['Buffer', 'process', 'global', 'require', '__dirname', '__filename', 'setImmediate'];
const clocks = ['Date', 'performance', 'setTimeout', 'setInterval'];
const effects = ['Promise', 'queueMicrotask', 'console', 'crypto', 'fetch', 'WebSocket', 'AbortSignal', 'Worker'];

const dynamicImport = {
  selector: 'ImportExpression',
  message: 'Import statically: only there the layers are checked.',
};
const asynchrony = {
  selector:
    ':function[async=true], AwaitExpression, ForOfStatement[await=true], TSTypeReference[typeName.name="Promise"]',
  message: 'protocol/ waits for nothing: what it needs is an input of the next step.',
};
const waiting =
  'auditTime|bufferTime|debounceTime|delay|interval|sampleTime|throttleTime|timeInterval|timeout|timer|timestamp|windowTime';
const realTime = {
  selector: `CallExpression[callee.name=/^(${waiting})$/]:not(:has(Identifier[name=/[sS]cheduler$/]))`,
  message: 'Whatever waits takes the injected scheduler, so that virtual time drives it.',
};

/** Programs, not libraries. */
const inRealTime = /^src\/(?:gateway|dashboard)\//;

function imports(files, { folders, packages }) {
  const forbidden = everything.filter((folder) => folder !== files.split('/')[1] && !folders.includes(folder));
  return {
    patterns: [
      {
        regex: `^\\.{1,2}/(?:\\.\\./)*(?:${forbidden.join('|')})/`,
        message: `Imports point one way: from here to ${folders.join(', ') || 'no other folder'}.`,
      },
      {
        regex: `^(?!\\.)(?!${packages.join('|') || '$'})`,
        message: `Packages that may be imported here: ${packages.join(', ') || 'none'}.`,
      },
      { regex: `^(?:${builtinModules.join('|')})$`, message: "Write 'node:' before a module of Node." },
      { regex: '^(?:\\.\\./)+(?:index|node)\\.js$', message: 'Entry points are for users.' },
    ],
  };
}

function globals(files, { packages }) {
  const isInRealTime = inRealTime.test(files);
  return {
    globals: [
      ...(packages.includes('node:') ? [] : nodeGlobals),
      ...(isInRealTime ? [] : clocks),
      ...(files.startsWith('src/protocol') ? effects : []),
    ],
    checkGlobalObject: true,
  };
}

function syntax(files) {
  if (files.startsWith('src/protocol')) return [dynamicImport, asynchrony];
  return inRealTime.test(files) ? [dynamicImport] : [dynamicImport, realTime];
}

export default Object.entries(parts).map(([files, part]) => ({
  files: [files],
  ignores: ['**/*.mjs'],
  rules: {
    'no-restricted-imports': ['error', imports(files, part)],
    'no-restricted-globals': ['error', globals(files, part)],
    'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Randomness is injected.' }],
    'no-restricted-syntax': ['error', ...syntax(files)],
  },
}));
