/**
 * Node 20 needs a loader for a configuration in TypeScript; newer Nodes read it as it is.
 * @jest-config-loader esbuild-register
 */
import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  // The specs of the packed package need a build: `npm run test:package` runs them.
  testMatch: ['<rootDir>/spec/**/*.spec.ts', '!**/spec/package/packed/**'],
  maxWorkers: 2,
  // Real sockets and whole sessions in virtual time, on a machine that may be busy with something else.
  testTimeout: 60_000,

  extensionsToTreatAsEsm: ['.ts'],
  // Transpiles file by file (isolatedModules of tsconfig.json); `npm run check:types` checks the types of the whole.
  transform: { '\\.ts$': ['ts-jest', { useESM: true }] },
  moduleNameMapper: {
    '^usmp-rx$': '<rootDir>/src/index.ts',
    '^usmp-rx/node$': '<rootDir>/src/node.ts',
    '^usmp-rx/bridge$': '<rootDir>/src/bridge/index.ts',
    '^usmp-rx/bridge-client$': '<rootDir>/src/bridge/client/index.ts',
    '^usmp-rx/testing$': '<rootDir>/src/testing/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },

  collectCoverageFrom: ['src/**/*.ts'],
  coverageReporters: ['text', 'lcovonly'],
  coverageThreshold: {
    global: {},
    './src/protocol/': { lines: 95 },
    './src/crypto/': { lines: 95 },
    './src/session/': { lines: 95 },
    './src/client/': { lines: 95 },
    './src/server/': { lines: 95 },
    './src/bridge/': { lines: 95 },
  },
};

export default config;
