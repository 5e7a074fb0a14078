import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/core/logging/index.ts';
import type { StoreIdentity } from '../../src/store/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/index.ts';
import { createManualClock, sampleHead } from '../../src/testing/index.ts';
import type { Scenario } from './scenario.ts';

type Reason = StoreIdentity['reason'];

/** R9 at open: what the file and its marker say about each other, on a real disk. */
export const FILE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a file that is opened again',
    // It is the same life.
    play: () => inFolder(async (folder) => due('same', await openOnce(folder), await openOnce(folder))),
  },
  {
    name: 'a file that was copied without its marker',
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder);
        copyFileSync(join(folder, 'a.db'), join(folder, 'b.db'));
        return due('marker-missing', await openOnce(folder, { file: 'b.db' }));
      }),
  },
  {
    name: 'a file that was copied with its marker',
    alsoFailsWith: ['marker not written', 'another machine, id kept'],
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder);
        copyFileSync(join(folder, 'a.db'), join(folder, 'b.db'));
        copyFileSync(join(folder, 'a.db.marker'), join(folder, 'b.db.marker'));
        return due('other-machine', await openOnce(folder, { file: 'b.db' }));
      }),
  },
  {
    name: 'a file that was moved to another machine',
    alsoFailsWith: ['marker not written'],
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder);
        return due('other-machine', await openOnce(folder, { machineId: 'another' }));
      }),
  },
  {
    name: 'an older file in the place of a newer one',
    alsoFailsWith: ['marker not written'],
    // The marker is of a later generation.
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder);
        copyFileSync(join(folder, 'a.db'), join(folder, 'older'));
        await openOnce(folder);
        copyFileSync(join(folder, 'older'), join(folder, 'a.db'));
        return due('marker-mismatch', await openOnce(folder));
      }),
  },
  {
    name: 'a backup in the place of its file',
    // Every backup is sealed.
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder, { backup: 'backup.db' });
        copyFileSync(join(folder, 'backup.db'), join(folder, 'a.db'));
        return due('sealed', await openOnce(folder));
      }),
  },
  {
    name: 'a copy that ends before its first write',
    alsoFailsWith: ['another machine, id kept'],
    // It ended before it took a new id, so the next opening must find the same reason.
    play: () =>
      inFolder(async (folder) => {
        await openOnce(folder);
        await openOnce(folder, { machineId: 'another', isWriting: false });
        const identity = await openOnce(folder, { machineId: 'another' });
        return identity.fresh ? [] : ['a copy goes on under the id that it came with'];
      }),
  },
];

async function inFolder(run: (folder: string) => Promise<string[]>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-scenario-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface OpenOptions {
  readonly file?: string;
  readonly machineId?: string;
  readonly isWriting?: boolean;
  readonly backup?: string;
}

/** Opens the file, writes to it once, and closes it. */
async function openOnce(
  folder: string,
  { file = 'a.db', machineId = 'machine', isWriting = true, backup }: OpenOptions = {},
): Promise<StoreIdentity> {
  const store = await openSqliteStore({
    path: join(folder, file),
    machineId,
    pid: 1,
    clock: createManualClock(),
    logger: silentLogger,
  });
  const { identity } = store;
  if (isWriting) store.commit({ head: sampleHead({ seq: (store.load().head?.seq ?? 0) + 1 }) });
  if (backup !== undefined) await store.backup(join(folder, backup));
  await store.close();
  return identity;
}

function due(reason: Reason, ...identities: readonly StoreIdentity[]): string[] {
  const found = identities.at(-1)!.reason;
  return found === reason ? [] : [`at open it is said to be "${found}", not "${reason}"`];
}
