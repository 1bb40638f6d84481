import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { installPacked, type Installation } from './install.js';

/** The names that an entry point has, by entry point. */
type Names = Record<string, string[]>;

/** Loads every entry point both ways; `differing` are the names that do not mean the same thing everywhere. */
const loader = `
  const entryPoints = process.argv.slice(2);
  const required = entryPoints.map((entryPoint) => require(entryPoint));
  const namesOf = (modules) => Object.fromEntries(modules.map((module, n) => [entryPoints[n], Object.keys(module)]));
  Promise.all(entryPoints.map((entryPoint) => import(entryPoint))).then((imported) => {
    const modules = [...required, ...imported];
    const names = new Set(modules.flatMap(Object.keys));
    const meanings = (name) => new Set(modules.filter((module) => name in module).map((module) => module[name]));
    const differing = [...names].filter((name) => meanings(name).size > 1);
    console.log(JSON.stringify({ required: namesOf(required), imported: namesOf(imported), differing }));
  });
`;
const thrower = `
  const { UsmpServer } = require('usmp-rx/node');
  const { ConfigError } = require('usmp-rx');
  try {
    new UsmpServer({ psk: new Uint8Array(15) });
  } catch (error) {
    console.log(error instanceof ConfigError);
  }
`;

let installed: Installation;
let loaded: { required: Names; imported: Names; differing: string[] };

function run(program: string, ...args: string[]): string {
  writeFileSync(join(installed.project, 'program.cjs'), program);
  return execFileSync('node', ['program.cjs', ...args], { cwd: installed.project, encoding: 'utf8' });
}

beforeAll(() => {
  installed = installPacked();
  loaded = JSON.parse(run(loader, ...installed.entryPoints)) as typeof loaded;
}, 60_000);

afterAll(() => {
  installed.remove();
});

describe('the packed package', () => {
  it('holds the build, the README and the licence, and nothing else', () => {
    const others = installed.files.filter((path) => !path.startsWith('dist/'));

    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
  });

  it('loads through import', () => {
    expect(loaded.imported).toMatchObject({
      'usmp-rx': expect.arrayContaining(['UsmpClient', 'UsmpError', 'AuthError', 'ConfigError', 'TimeoutError']),
      'usmp-rx/node': expect.arrayContaining(['UsmpServer']),
      'usmp-rx/testing': expect.arrayContaining([expect.any(String)]),
    });
  });

  it('loads through require', () => {
    expect(loaded.required).toEqual(loaded.imported);
  });

  it('has one class for each name, however it is loaded; only the client has other defaults on Node', () => {
    expect(loaded.differing).toEqual(['UsmpClient']);
    expect(run(thrower)).toBe('true\n');
  });

  it('declares just what it exports', () => {
    const consumers = installed.entryPoints.map((entryPoint, n) => {
      const path = join(installed.project, `consumer-${n}.mts`);
      writeFileSync(path, `import * as entryPoint from '${entryPoint}';\nexport default entryPoint;\n`);
      return path;
    });
    const program = ts.createProgram(consumers, {
      strict: true,
      module: ts.ModuleKind.NodeNext,
      lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
      types: ['node'],
      noEmit: true,
    });
    const checker = program.getTypeChecker();
    const declared = consumers.map((path) => {
      const exported = program.getSourceFile(path)!.statements.find(ts.isExportAssignment)!;
      return checker
        .getTypeAtLocation(exported.expression)
        .getProperties()
        .map(({ name }) => name);
    });

    const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(installed.project));
    const problems = ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]);

    expect(ours.length).toBeGreaterThan(installed.entryPoints.length);
    expect(problems.map(({ messageText }) => messageText)).toEqual([]);
    expect(declared.map((names) => names.sort())).toEqual(
      installed.entryPoints.map((entryPoint) => loaded.imported[entryPoint]?.sort()),
    );
  }, 60_000);
});
