// Makes a fresh clone ready: installs once from the lock file, with any Node from 18 on. Plain JavaScript, because the Node
// that runs this may be older than the one that the project installs.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');

/** npm writes its hidden lock file last, so if it is at least as new as ours, the install is complete and current. */
function isInstalled() {
  return existsSync(installed) && existsSync(lock) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}

if (!isInstalled()) {
  process.stderr.write('entgldb: installing what the project needs (once) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const done = spawnSync(npm, [existsSync(lock) ? 'ci' : 'install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    process.stderr.write('entgldb: npm could not install the dependencies; see its message above\n');
    process.exit(1);
  }
}
