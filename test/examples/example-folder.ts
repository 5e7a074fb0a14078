import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../docs/run-program.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A program or compiler that takes this long hangs. */
const DEADLINE_MS = 300_000;

/**
 * A copy of an example inside the repository, so that packages resolve, but outside node_modules, where Node does not strip
 * types. `entgldb` resolves to the sources. The copy is removed after the tests of the file.
 */
export class ExampleFolder {
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = join(ROOT, '.cache', `example-${name}`);
    rmSync(this.#folder, { recursive: true, force: true });
    const source = join(ROOT, 'examples', name);
    cpSync(source, this.#folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
    const packageFolder = join(this.#folder, 'node_modules', 'entgldb');
    mkdirSync(packageFolder, { recursive: true });
    symlinkSync(join(ROOT, 'src'), join(packageFolder, 'src'), 'junction');
    const manifest = { name: 'entgldb', type: 'module', exports: { '.': './src/index.ts' } };
    writeFileSync(join(packageFolder, 'package.json'), JSON.stringify(manifest));
    after(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** Asserts that the example compiles as strictly as the source. Errors in the source itself are reported elsewhere. */
  async assertCompiles(): Promise<void> {
    const config = { extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'] };
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { status, output } = await runProgram(process.execPath, [compiler, '-p', this.#folder], {
      cwd: this.#folder,
      deadlineMs: DEADLINE_MS,
    });
    assert.ok(status === 0 || output.includes('error TS'), output);
    const own = output.split('\n').filter((line) => /^[\w-]+\.ts\(/.test(line));
    assert.deepEqual(own, []);
  }

  /** Runs its program as a user starts it, in an empty folder. Resolves with what it printed. */
  async run(program = 'main.ts'): Promise<string> {
    const cwd = mkdtempSync(join(tmpdir(), 'entgldb-example-'));
    try {
      const { status, output } = await runProgram(process.execPath, [join(this.#folder, program)], {
        cwd,
        deadlineMs: DEADLINE_MS,
      });
      assert.equal(status, 0, output);
      return output;
    } finally {
      rmSync(cwd, { recursive: true });
    }
  }
}
