/**
 * The fault suites and the life that they interrupt, built as the package is. Processes and threads then start in a quarter
 * of the time that they take from the sources, and a full run starts tens of thousands of them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setSourceMapsEnabled } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import manifest from '../../package.json' with { type: 'json' };
import type { Suite } from './suite.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Within the repository, so that dependencies are found from there. */
const CACHE = join(ROOT, '.cache');

/** What starts as a process or thread of its own must lie next to the suites. */
const ENTRIES = {
  suites: 'test/torture/fault-suites.ts',
  life: 'test/torture/life.ts',
  command: 'src/node/cli/main.ts',
  'store-worker': 'src/store/sqlite/threads/store-worker.ts',
};

/** Built anew for this process, and removed when it ends. */
export async function builtFaultSuites(): Promise<readonly Suite[]> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'torture-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  await build({
    cwd: ROOT,
    input: ENTRIES,
    platform: 'node',
    external: packages.map((name) => new RegExp(`^${name}(/|$)`)),
    transform: { target: 'node22.18' },
    output: { dir: folder, chunkFileNames: '[name].js', sourcemap: true, keepNames: true },
  });
  setSourceMapsEnabled(true);
  const suites = (await import(pathToFileURL(join(folder, 'suites.js')).href)) as typeof import('./fault-suites.ts');
  return suites.FAULT_SUITES;
}
