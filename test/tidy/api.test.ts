// Goal: the reference in docs/api matches what the package exports, and every link of every page leads somewhere. Method:
// the pages are made again and compared; a small package in a temporary folder has each kind of declaration once; links are
// followed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Declarations } from '../../scripts/api/declarations.ts';
import { apiPages } from '../../scripts/api/pages.ts';
import { projectFiles, ROOT, readProjectFile } from './sources.ts';

test('docs/api is what scripts/api makes of the comments in src', () => {
  const pages = apiPages(ROOT);
  const committed = readdirSync(join(ROOT, 'docs/api')).filter((name) => name.endsWith('.md'));
  assert.deepEqual(committed.sort(), [...pages.keys()].sort(), 'run: npm run docs:api');
  const stale = [...pages].filter(([file, text]) => readProjectFile(`docs/api/${file}`) !== text);
  assert.deepEqual(
    stale.map(([file]) => file),
    [],
    'run: npm run docs:api',
  );
});

test('a name is found through re-exports and imports, even if it is renamed on the way', (t) => {
  const declarations = packageOf(t, {
    'index.ts': `export { type Shape, made as make } from './part/index.ts';`,
    'part/index.ts': `export type { Shape } from './shape.ts';\nimport { made } from './shape.ts';\nexport { made };`,
    'part/shape.ts': `/** A shape. */\nexport interface Shape {}\nexport async function made(n: number): Promise<Shape> { return { n }; }`,
  });
  assert.deepEqual(declarations.exportsOf('index.ts'), ['Shape', 'make']);
  const shape = declarations.declaration('index.ts', 'Shape');
  assert.deepEqual([shape.path, shape.comment, shape.signatures], ['part/shape.ts', 'A shape.', ['interface Shape']]);
  assert.deepEqual(declarations.declaration('index.ts', 'make').signatures, [
    'function made(n: number): Promise<Shape>',
  ]);
  assert.throws(() => declarations.declaration('index.ts', 'Missing'), /Missing is not declared/);
});

test('of overloads, only those that callers can call are shown', (t) => {
  const declarations = packageOf(t, {
    'index.ts': `export { f, C } from './f.ts';`,
    'f.ts': `
export function f(a: string): string;
export function f(a: number): number;
export function f(a: unknown): unknown { return a; }
export class C {
  m(a: string): string;
  m(a: number): number;
  m(a: unknown): unknown { return a; }
}`,
  });
  assert.equal(declarations.declaration('index.ts', 'f').signatures.length, 2);
  const { members } = declarations.declaration('index.ts', 'C');
  assert.deepEqual(
    members.map(({ signature }) => signature),
    ['m(a: string): string', 'm(a: number): number'],
  );
});

test('a class shows no private member and no body, and inherits the members and comments of its bases', (t) => {
  const declarations = packageOf(t, {
    'index.ts': `export { Made } from './made.ts';`,
    'made.ts': `
interface Told {
  /** Says it. */
  say(word: string): void;
}
class Base {
  constructor(readyAt: number) { this.readyAt = readyAt; }
  /** When. */
  readonly readyAt: number;
}
export class Made extends Base implements Told {
  #hidden = 0;
  override readonly name: string = 'Made';
  say(word: string): void { this.#hidden = word.length; }
  wait(ms: number = this.#hidden): void {}
  /** @internal For others here. */
  poke(): void {}
  /** How much. */
  get size(): number { return 1; }
}`,
  });
  const { members, signatures } = declarations.declaration('index.ts', 'Made');
  assert.deepEqual(signatures, ['class Made extends Base implements Told']);
  assert.deepEqual(
    members.map(({ signature, comment }) => [signature, comment]),
    [
      ['say(word: string): void', 'Says it.'],
      ['wait(ms?: number): void', ''],
      ['readonly size: number', 'How much.'],
      ['new Made(readyAt: number)', ''],
      ['readonly readyAt: number', 'When.'],
    ],
  );
});

test('every link between pages leads to a file, and to a heading or anchor in it', () => {
  const pages = projectFiles().filter((path) => path.endsWith('.md'));
  const anchorsByPage = new Map(pages.map((path) => [path, anchorsOf(readProjectFile(path))]));
  const broken = pages.flatMap((path) =>
    linksOf(readProjectFile(path)).flatMap((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : posix.join(posix.dirname(path), file);
      const isThere =
        existsSync(join(ROOT, target)) && (anchor === undefined || anchorsByPage.get(target)?.has(anchor));
      return isThere ? [] : [`${path}: ${link}`];
    }),
  );
  assert.deepEqual(broken, []);
});

function packageOf(t: TestContext, files: Readonly<Record<string, string>>): Declarations {
  const root = mkdtempSync(join(tmpdir(), 'entgldb-api-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return new Declarations(root);
}

/** The targets of links within the repository. */
function linksOf(page: string): string[] {
  const prose = page.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\((?<target>[^)\s]+)\)/g)]
    .map(({ groups }) => groups?.target ?? '')
    .filter((target) => !/^\w+:/.test(target));
}

/** The anchors of headings as GitHub names them, and explicit ids. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (?<text>.+)$/gm)].map(({ groups }) =>
    (groups?.text ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...page.matchAll(/<a id="(?<id>[^"]+)">/g)].map(({ groups }) => groups?.id ?? '')]);
}
