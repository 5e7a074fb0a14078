// Goal: what the pages show works. Method: every fenced `ts` block of README.md, ARCHITECTURE.md and docs is a program of
// its own. It must compile as strictly as the source, and run to its end in an empty folder. `ts fragment` blocks only show
// a shape and are not tried. `sh run` blocks are run by bash with the repository's `entgldb` on the path.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CodeBlock, codeBlocks } from './code-blocks.ts';
import { runProgram } from './run-program.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A program or compiler that takes this long hangs. */
const RUN_MS_MAX = 120_000;
const COMPILE_MS_MAX = 300_000;

/** Inside the repository, so that packages resolve, but outside node_modules, where Node does not strip types. */
const cache = join(ROOT, '.cache', 'docs');
rmSync(cache, { recursive: true, force: true });
linkPackage(join(cache, 'node_modules', 'entgldb'));
writeFileSync(join(cache, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
after(() => rmSync(cache, { recursive: true, force: true }));

const blocks = pages().flatMap((page) => codeBlocks(page, readFileSync(join(ROOT, page), 'utf8')));
const programs = blocks
  .filter(({ language, marks }) => language === 'ts' && !marks.includes('fragment'))
  .map((block, i) => ({ block, path: join(cache, `block-${i + 1}.ts`) }));
for (const { block, path } of programs) writeFileSync(path, block.text);

test('the pages contain programs to run', () => {
  assert.ok(programs.some(({ block }) => block.place.startsWith('README.md')));
});

test('every ts block compiles', async () => {
  const base = join(ROOT, 'tsconfig.json');
  writeFileSync(
    join(cache, 'tsconfig.json'),
    JSON.stringify({ extends: base, compilerOptions: { noUnusedLocals: false }, include: ['block-*.ts'] }),
  );
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, output } = await runProgram(process.execPath, [compiler, '-p', cache], {
    cwd: cache,
    deadlineMs: COMPILE_MS_MAX,
  });
  assert.ok(status === 0 || output.includes('error TS'), output);
  const errors = output.split('\n').filter((line) => line.startsWith('block-')); // those of src are reported by `types`
  const named = errors.map((line) =>
    line.replace(/^block-(\d+)\.ts/, (_, n) => `${programs[Number(n) - 1]?.block.place}`),
  );
  assert.deepEqual(named, []);
});

for (const { block, path } of programs) {
  test(`the program at ${block.place} runs to its end`, () => runInEmptyFolder(block, process.execPath, [path]));
}

for (const block of blocks.filter(({ language, marks }) => language === 'sh' && marks.includes('run'))) {
  const command = `entgldb() { "${process.execPath}" "${join(ROOT, 'src/node/cli/main.ts')}" "$@"; }\nset -eu\n${block.text}`;
  test(`the commands at ${block.place} run to their end`, () => runInEmptyFolder(block, 'bash', ['-c', command]));
}

async function runInEmptyFolder(block: CodeBlock, command: string, args: readonly string[]): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'entgldb-docs-'));
  try {
    const { status, output } = await runProgram(command, args, { cwd, deadlineMs: RUN_MS_MAX });
    assert.equal(status, 0, `${block.place} ended with ${status}\n${output}`);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const all = ['README.md', 'ARCHITECTURE.md', ...docs.map((name) => `docs/${name.replaceAll('\\', '/')}`)];
  return all.filter((name) => name.endsWith('.md')).sort();
}

/** Makes `import 'entgldb'` resolve to the sources. */
function linkPackage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(ROOT, 'src'), join(folder, 'src'), 'junction');
  const exports = { '.': './src/index.ts', './testing': './src/testing/index.ts' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'entgldb', type: 'module', exports }));
}
