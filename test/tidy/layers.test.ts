// Goal: the folders remain a map of the system. Method: every import in the source files under src, except tests, is checked
// against the order of layers. Folders form no cycle, and neither do files, under src and elsewhere. A folder is entered
// through its index.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { type Import, importsOf, isTest, type SourceFile, typescriptFiles } from './sources.ts';

/** What each layer may import besides itself. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  core: [],
  store: ['core'],
  database: ['core', 'store'],
  resilience: ['core', 'store', 'database', 'diagnostics'],
  diagnostics: ['core', 'store', 'database'],
  net: ['core'],
  sync: ['core', 'net'],
  testing: ['core', 'store', 'database', 'net', 'sync'],
  node: ['core', 'store', 'database', 'resilience', 'diagnostics', 'net', 'sync'],
};

/** Layers of which types may be imported as well, since they are erased: the session's port uses the types of stored rows. */
const TYPES_BELOW: Readonly<Record<string, readonly string[]>> = { sync: ['store'] };

/** The modules that programs import. */
const PUBLISHED = ['src/index.ts', 'src/testing/index.ts'];

const sources = typescriptFiles('src').filter(({ path }) => !isTest(path));

test('layers import only what lies below them', () => {
  const wrong = sources.flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === null) return [];
    const allowed = BELOW[layer];
    assert.ok(allowed, `src/${layer} is not in the table of layers`);
    const types = [...allowed, ...(TYPES_BELOW[layer] ?? [])];
    return innerImports(file)
      .filter(
        ({ path, isTypeOnly }) => ![layer, ...(isTypeOnly ? types : allowed)].includes(layerOf(path) ?? 'index.ts'),
      )
      .map(({ path }) => `${file.path} imports ${path}`);
  });
  assert.deepEqual(wrong, []);
});

test('the core imports no package, and no Node module that does I/O', () => {
  const pure = ['node:crypto', 'node:buffer', 'node:util'];
  const wrong = sources
    .filter(({ path }) => layerOf(path) === 'core')
    .flatMap((file) =>
      importsOf(file)
        .filter(({ path }) => path === null)
        .map(({ specifier }) => ({ file: file.path, specifier })),
    )
    .filter(({ specifier }) => !pure.includes(specifier));
  assert.deepEqual(wrong, []);
});

test('a folder is entered through its index, unless a single file is loaded lazily', () => {
  const wrong = sources.flatMap((file) =>
    innerImports(file)
      .filter(({ path, isLazy }) => !isLazy && posix.basename(path) !== 'index.ts' && !isAtHome(file.path, path))
      .map(({ path }) => `${file.path} imports ${path}`),
  );
  assert.deepEqual(wrong, []);
});

test('folders import each other in one direction', () => {
  const edges = new Map<string, Set<string>>();
  for (const file of sources) {
    const from = posix.dirname(file.path);
    for (const { path, isTypeOnly } of importsOf(file)) {
      if (path === null || isTypeOnly || isAtHome(file.path, path)) continue;
      edges.set(from, (edges.get(from) ?? new Set()).add(posix.dirname(path)));
    }
  }
  const inCycle = [...edges.keys()].filter((folder) => reachable(edges, folder).has(folder));
  assert.deepEqual(inCycle, []);
});

test('files import each other in one direction, types included', () => {
  const edges = new Map<string, Set<string>>();
  for (const file of typescriptFiles('src', 'sim', 'test', 'bench', 'scripts')) {
    const imported = importsOf(file).filter(({ isLazy }) => !isLazy);
    edges.set(file.path, new Set(imported.map(({ path }) => path).filter((path) => path !== null)));
  }
  const inCycle = [...edges.keys()].filter((path) => reachable(edges, path).has(path));
  assert.deepEqual(inCycle, []);
});

test('an index only re-exports, by name', () => {
  const wrong = sources
    .filter(({ path }) => posix.basename(path) === 'index.ts')
    .flatMap(({ path, text }) => {
      const rest = text
        .replace(/^export (?:type )?\{[^}]*\} from '[^']+';$/gm, '')
        .replace(/^(?:\/\/.*|\/\*[\s\S]*?\*\/)$/gm, '');
      return rest.trim() === '' ? [] : [`${path}: ${rest.trim().split('\n')[0]}`];
    });
  assert.deepEqual(wrong, []);
});

test('everything that an index exports is imported somewhere', () => {
  const everywhere = typescriptFiles('src', 'sim', 'test', 'bench', 'scripts', 'examples');
  const taken = new Set(
    everywhere.flatMap(importsOf).flatMap(({ path, names }) => names.map((name) => `${path}#${name}`)),
  );
  const idle = typescriptFiles('src')
    .filter(({ path }) => posix.basename(path) === 'index.ts' && !PUBLISHED.includes(path))
    .flatMap((index) => importsOf(index).flatMap(({ names }) => names.map((name) => `${index.path}#${name}`)))
    .filter((name) => !taken.has(name));
  assert.deepEqual(idle, []);
});

function layerOf(path: string): string | null {
  const [, layer, ...rest] = path.split('/');
  return rest.length === 0 ? null : (layer ?? null);
}

function innerImports(file: SourceFile): (Import & { readonly path: string })[] {
  return importsOf(file).filter(
    (found): found is Import & { readonly path: string } => found.path?.startsWith('src/') === true,
  );
}

/** Whether the imported file is in the importing file's folder or in one that contains it. */
function isAtHome(file: string, imported: string): boolean {
  return posix.dirname(file) === posix.dirname(imported) || file.startsWith(`${posix.dirname(imported)}/`);
}

function reachable(edges: ReadonlyMap<string, ReadonlySet<string>>, from: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(edges.get(from) ?? [])];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    open.push(...(edges.get(folder) ?? []));
  }
  return seen;
}
