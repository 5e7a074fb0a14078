/**
 * Goal: the NestJS example compiles as strictly as the source, runs to its end, and leaves a closed database.
 * Method: its files in a folder where `entgldb` is answered by the sources; then its program as a user starts it.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../docs/run-program.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const DEADLINE_MS = 60_000;

/** In the tree of the repository, so that packages resolve, but not in node_modules, where Node strips no types. */
const folder = join(ROOT, '.cache', 'example-nestjs');
rmSync(folder, { recursive: true, force: true });
cpSync(join(ROOT, 'examples', 'nestjs'), folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
const packageFolder = join(folder, 'node_modules', 'entgldb');
mkdirSync(packageFolder, { recursive: true });
symlinkSync(join(ROOT, 'src'), join(packageFolder, 'src'), 'junction');
const manifest = { name: 'entgldb', type: 'module', exports: { '.': './src/index.ts' } };
writeFileSync(join(packageFolder, 'package.json'), JSON.stringify(manifest));
after(() => rmSync(folder, { recursive: true, force: true }));

test('compiles', async () => {
  const config = { extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { output } = await runProgram(process.execPath, [compiler, '-p', folder], {
    cwd: folder,
    deadlineMs: DEADLINE_MS,
  });
  const own = output.split('\n').filter((line) => /^[\w-]+\.ts\(/.test(line)); // those of src are reported by `types`
  assert.deepEqual(own, []);
});

test('starts, works through the injected services, and stops', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'entgldb-example-'));
  try {
    const { status, output } = await runProgram(process.execPath, [join(folder, 'main.ts')], {
      cwd,
      deadlineMs: DEADLINE_MS,
    });
    assert.equal(status, 0, output);
    assert.match(output, /told others of user1: \{ name: 'Alice' \}/);
    assert.match(output, /failed: 0, healthy: true/);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
