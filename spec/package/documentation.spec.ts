import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

interface Snippet {
  readonly page: string;
  /** Where on the page the code begins. */
  readonly line: number;
  readonly code: string;
}

const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)];

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

function snippets(language: string): Snippet[] {
  return pages.flatMap((page) => {
    const text = readFileSync(page, 'utf8');
    const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
    return Array.from(fences, ({ index, 1: code = '' }) => ({ page, line: lineAt(text, index) + 1, code }));
  });
}

/** What the compiler says of each snippet as a module of its own, under the project's own options. */
function typeErrors(modules: readonly Snippet[]): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, process.cwd());
  const paths = modules.map((_, n) => `${process.cwd()}/snippet-${n}.ts`);
  const codeOf = (path: string) => modules[paths.indexOf(path)]?.code;

  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => codeOf(path) !== undefined || fileExists(path);
  host.readFile = (path) => codeOf(path) ?? readFile(path);
  const forced = { noUnusedLocals: false, moduleDetection: ts.ModuleDetectionKind.Force };
  const program = ts.createProgram(paths, { ...options, ...forced }, host);

  return modules.flatMap(({ page, line, code }, n) => {
    const file = program.getSourceFile(paths[n]!);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ messageText, start = 0 }) => {
      return `${page}:${line + lineAt(code, start) - 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

describe('README.md and docs/', () => {
  it('show TypeScript that compiles', () => {
    const modules = snippets('ts');

    expect(modules).not.toHaveLength(0);
    expect(typeErrors(modules)).toEqual([]);
  });

  it('name scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    const commands = snippets('sh').flatMap(({ code }) =>
      Array.from(code.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))\b/g)),
    );

    expect(commands).not.toHaveLength(0);
    expect(commands.map(([, script, own]) => script ?? own).filter((name) => !(name! in scripts))).toEqual([]);
  });
});

describe('a snippet', () => {
  it('is reported by page and line where it does not compile', () => {
    const code = "import { UsmpError } from 'usmp-rx';\n\nexport const code: number = UsmpError.name;\n";

    expect(typeErrors([{ page: 'page.md', line: 7, code }])).toEqual([
      "page.md:9: Type 'string' is not assignable to type 'number'.",
    ]);
  });
});
