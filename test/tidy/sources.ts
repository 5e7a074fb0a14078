import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface SourceFile {
  /** Relative to the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Files that are in the repository, or would be after `git add`. */
export function projectFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  const paths = list.toString('utf8').split('\0');
  return [...new Set(paths)].filter(
    (path) => path !== '' && statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile(),
  );
}

export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** TypeScript files under the given folders, except generated ones. */
export function typescriptFiles(...folders: readonly string[]): SourceFile[] {
  const isWanted = (path: string) => folders.some((folder) => path.startsWith(`${folder}/`));
  return projectFiles()
    .filter((path) => path.endsWith('.ts') && isWanted(path) && !isGenerated(path))
    .sort()
    .map((path) => ({ path, text: readProjectFile(path) }));
}

/** Whether the file is a test, a helper of tests (`test-…`), or a published suite, whose functions are lists of tests. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || posix.basename(path).startsWith('test-') || /-conformance(?:\.ts$|\/)/.test(path);
}

function isGenerated(path: string): boolean {
  return path.endsWith('_pb.ts');
}

export interface Import {
  readonly specifier: string;
  /** Path of the imported file, from the root; null for packages and `node:` modules. */
  readonly path: string | null;
  /** Whether the whole import is of types, which are erased. */
  readonly isTypeOnly: boolean;
  /** Whether it is loaded only when the line is reached. */
  readonly isLazy: boolean;
  /** What is imported, by the names that it has in that file. */
  readonly names: readonly string[];
}

const IMPORT =
  /^(?:import|export)\s(?<clause>type\s)?(?<names>[^;'"]*?)from\s+'(?<from>[^']+)'|^import\s+'(?<bare>[^']+)'|(?:\{(?<lazyNames>[^{}]*)\} = await )?\bimport\('(?<lazy>[^']+)'\)/gm;

/** All imports and re-exports of a file. The formatter keeps them at the start of a line. */
export function importsOf(file: SourceFile): Import[] {
  return [...file.text.matchAll(IMPORT)].map(({ groups }) => {
    const specifier = groups?.from ?? groups?.bare ?? groups?.lazy ?? '';
    const isRelative = specifier.startsWith('.');
    const path = isRelative ? posix.join(posix.dirname(file.path), specifier) : null;
    const names = namesIn(groups?.names ?? groups?.lazyNames ?? '');
    return { specifier, path, isTypeOnly: groups?.clause !== undefined, isLazy: groups?.lazy !== undefined, names };
  });
}

/** The original names in a clause: a, B, c for `{ a, type B, c as d }`. */
function namesIn(clause: string): string[] {
  return [...clause.matchAll(/(?:^|[{,])\s*(?:type\s)?(\w+)/g)].map(([, name]) => name!);
}

/** The text with comments and strings blanked and lines kept, so that only code is left. */
export function codeOf(text: string): string {
  return text.replace(COMMENT_OR_STRING, (match, regexStart: string | undefined) => {
    const kept = regexStart ?? '';
    return kept + match.slice(kept.length).replace(/[^\n]/g, ' ');
  });
}

/** Comments, strings, and regular expressions where an expression may begin. */
const COMMENT_OR_STRING = new RegExp(
  [
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`\/\/[^\n]*`,
    String.raw`'(?:[^'\\\n]|\\.)*'`,
    String.raw`"(?:[^"\\\n]|\\.)*"`,
    String.raw`((?:[(,=:[!&|?{};]|\breturn)\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*`,
  ].join('|'),
  'g',
);

/** Places where a pattern occurs, as `path:line: text`. */
export function occurrences(file: SourceFile, pattern: RegExp, text = codeOf(file.text)): string[] {
  const lines = file.text.split('\n');
  return text
    .split('\n')
    .flatMap((line, i) => (pattern.test(line) ? [`${file.path}:${i + 1}: ${lines[i]?.trim()}`] : []));
}
