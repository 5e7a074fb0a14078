/** `npm run example NAME`: runs the program of an example, in an empty folder that is removed afterwards. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));

const [name = ''] = process.argv.slice(2);
const program = join(EXAMPLES, name, 'main.ts');
if (name === '' || !existsSync(program)) {
  console.error(`npm run example NAME, where NAME is one of ${readdirSync(EXAMPLES).join(', ')}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'entgldb-example-'));
try {
  const args = ['--import', new URL('own-package.ts', import.meta.url).href, program];
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
