import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchCase, Subject } from '../bench-case.ts';
import { inOwnFolder } from '../subject-folder.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const IMPORT = "const start = performance.now(); await import('entgldb'); console.log(performance.now() - start)";
const OPEN = `const start = performance.now();
  const { openDatabase } = await import('entgldb');
  const network = { tcpPort: 0, localhostOnly: true, enableDiscovery: false };
  const database = await openDatabase({ network });
  console.log(performance.now() - start);
  await database.close();`;

/** The package as it would be published: installed into an empty folder, and imported by a new process. */
const packageSubject: Subject = async (folder) => {
  const { stdout } = await npm(ROOT, 'pack', '--silent', '--pack-destination', folder);
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '');
  return {
    async run(round) {
      const place = inOwnFolder(folder, `run-${round}`);
      const start = performance.now();
      await npm(place, 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball);
      const installMs = performance.now() - start;
      return {
        'install ms': installMs,
        'import ms': await printed(place, IMPORT),
        'import and open ms': await printed(place, OPEN),
        'install scripts': installScripts(place),
      };
    },
    close: async () => {},
  };
};

/** The number that a program prints in a new process. */
async function printed(cwd: string, program: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd });
  return Number(stdout);
}

/** Number of packages that compile or run something when they are installed. */
function installScripts(folder: string): number {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
  };
  return Object.values(lock.packages).filter(({ hasInstallScript }) => hasInstallScript).length;
}

function npm(cwd: string, ...args: readonly string[]): Promise<{ readonly stdout: string }> {
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd, shell: process.platform === 'win32' });
}

export const installAndImport: BenchCase = {
  name: 'package',
  about:
    "the packed package is installed into an empty folder (npm's cache is warm after the first run), and imported by a new process, which opens an empty database on loopback",
  subjects: { ours: packageSubject },
  goals: [
    { figure: 'install ms', atMost: 10_000 },
    { figure: 'import ms', atMost: 80 },
    { figure: 'install scripts', atMost: 0 },
  ],
};
