import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BenchCase, PeerName, Subject } from './bench-case.ts';

// Found through the package's name, because a compiled program lies elsewhere.
const FOLDER = fileURLToPath(new URL('./bench/peers', import.meta.resolve('entgldb/package.json')));
const PEERS: readonly PeerName[] = ['pouchdb', 'rxdb'];

/** What bench/peers/subjects.ts exports. It is loaded lazily, because what it needs is only installed on demand. */
interface PeerModule {
  readonly peerSubjects: (peer: PeerName) => Readonly<Record<string, Subject>>;
}

/** Installs the other databases once, from their own lock file. None of their install scripts are run. */
export function installPeers(): void {
  if (existsSync(join(FOLDER, 'node_modules', '.package-lock.json'))) return;
  process.stderr.write('installing the other databases into bench/peers …\n');
  const isWindows = process.platform === 'win32';
  const { status } = spawnSync(isWindows ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: isWindows,
  });
  if (status !== 0) throw new Error('npm could not install bench/peers; see its message above');
}

/** The cases, with the other databases as further subjects where they can do the same. */
export async function besidePeers(cases: readonly BenchCase[]): Promise<BenchCase[]> {
  const { peerSubjects } = (await import(pathToFileURL(join(FOLDER, 'subjects.ts')).href)) as PeerModule;
  const subjectsByPeer = PEERS.map((peer) => [peer, peerSubjects(peer)] as const);
  return cases.map((bench) => {
    const more = subjectsByPeer.flatMap(([peer, subjects]) => {
      const subject = subjects[bench.name];
      return subject === undefined ? [] : [[peer, subject] as const];
    });
    return { ...bench, subjects: { ...bench.subjects, ...Object.fromEntries(more) } };
  });
}
