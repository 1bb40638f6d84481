import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Installation {
  /** A project that depends on nothing but this package. */
  readonly project: string;
  /** The files that were packed, relative to the package. */
  readonly files: readonly string[];
  /** What users import: `usmp-rx`, `usmp-rx/node` … */
  readonly entryPoints: readonly string[];
  remove(): void;
}

/** Packs the build in dist/ as npm does and lays it beside the packages that it depends on, without a network. */
export function installPacked(): Installation {
  const project = mkdtempSync(join(tmpdir(), 'usmp-rx-'));
  const packages = join(project, 'node_modules');
  mkdirSync(join(packages, 'usmp-rx'), { recursive: true });

  const packed = npm('pack', '--json', '--ignore-scripts', '--pack-destination', project);
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  execFileSync('tar', ['-xzf', join(project, filename), '-C', join(packages, 'usmp-rx'), '--strip-components=1']);

  for (const name of ['rxjs', '@noble', '@types', 'valibot', 'ws'])
    symlinkSync(resolve('node_modules', name), join(packages, name));

  const { exports } = JSON.parse(readFileSync(join(packages, 'usmp-rx', 'package.json'), 'utf8')) as {
    exports: object;
  };
  const subpaths = Object.keys(exports).filter((subpath) => !subpath.endsWith('.json'));
  return {
    project,
    files: files.map(({ path }) => path),
    entryPoints: subpaths.map((subpath) => `usmp-rx${subpath.slice(1)}`),
    remove: () => {
      rmSync(project, { recursive: true });
    },
  };
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
