// The life that the fault suites interrupt, in a process of its own: `node life.ts FOLDER PEER DURABILITY STAGES`. Each line
// that it prints is one JSON object (ledger.ts), written synchronously, so that a trace of its system calls has the lines in
// the right places.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EntglDbError } from '../../src/core/errors/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { restoreSqliteFile } from '../../src/store/sqlite/index.ts';
import type { Line } from './ledger.ts';
import { COLLECTION, type OpenedNode, openTortureNode, until } from './open.ts';

const [folder = '', peer = '-', durability = 'full', stageNames = ''] = process.argv.slice(2);
const BACKUP = join(folder, 'copy.db');
const ATTEMPTS = 20;
const RETRY_MS = 10;
/** Long enough that a few documents fill a page. */
const PAD = 'x'.repeat(1500);

let n = 0;
let opened: OpenedNode | undefined;

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function describe(error: unknown): { code: string; reason: string; message: string } {
  if (error instanceof EntglDbError) return { code: error.code, reason: error.reason, message: error.message };
  return { code: 'UNTYPED', reason: String(error), message: (error as Error).stack ?? '' };
}

/** Repeats the work until the disk allows it, at most `ATTEMPTS` times; reports every refusal. */
async function insist<T>(at: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      say({ t: 'problem', at, ...describe(error) });
      if (attempt === ATTEMPTS) throw error;
      await pause(RETRY_MS);
    }
  }
}

async function open(): Promise<OpenedNode> {
  const { node, db } = await insist('open', () =>
    openTortureNode({
      folder,
      nodeId: 'victim',
      durability: durability === 'normal' ? 'normal' : 'full',
      ...(peer === '-' ? {} : { peer }),
    }),
  );
  opened = { node, db };
  say({ t: 'ready', replica: db.replica.id, seq: 0 });
  return opened;
}

async function close(): Promise<void> {
  const closing = opened;
  opened = undefined;
  if (closing === undefined) return;
  try {
    await closing.node.close();
  } catch (error) {
    // Allowed on a disk that fails, as long as it is reported.
    say({ t: 'problem', at: 'close', ...describe(error) });
  }
}

async function write(keys: readonly string[], isDelete = false): Promise<void> {
  const { db } = opened ?? (await open());
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const number = ++n;
    const state = isDelete ? null : number;
    say({ t: 'begin', n: number, writes: keys.map((key) => [key, state] as const) });
    const documents = db.collection(COLLECTION);
    try {
      if (isDelete) await documents.deleteMany(keys);
      else if (keys.length === 1) await documents.put(keys[0]!, { n: number, pad: PAD });
      else await documents.putMany(keys.map((key) => [key, { n: number, pad: PAD }] as const));
      say({ t: 'ack', n: number, replica: db.replica.id, seq: db.replica.seq });
      return;
    } catch (error) {
      say({ t: 'fail', n: number, ...describe(error) });
      await pause(RETRY_MS);
    }
  }
  throw new Error(`no write went through in ${ATTEMPTS} attempts`);
}

const STAGES: Readonly<Record<string, () => Promise<void>>> = {
  first: async () => {
    await open();
    for (let i = 0; i < 6; i++) await write([`a${i}`]);
    await write(['t1', 't2', 't3', 't4', 't5']);
    for (let i = 0; i < 3; i++) await write([`a${i}`]);
  },
  together: async () => {
    await Promise.all(Array.from({ length: 12 }, (_, i) => write([`c${i}`])));
    await Promise.all(Array.from({ length: 6 }, (_, i) => write([`c${i}`])));
  },
  delete: async () => {
    await write(['a1', 'a2'], true);
    await write(['a3'], true);
  },
  sync: async () => {
    const { db } = opened ?? (await open());
    await until('the documents of the peer are here', async () => (await db.collection('peer').count()) > 0);
    say({ t: 'stage', name: 'synced' });
  },
  backup: async () => {
    const { node } = opened ?? (await open());
    say({ t: 'stage', name: 'backup' });
    await insist('backup', () => node.maintenance.backup(BACKUP, { overwrite: true, isAnywhereAllowed: true }));
    say({ t: 'stage', name: 'backed up', path: BACKUP });
  },
  purge: async () => {
    const { db } = opened ?? (await open());
    await insist('purge', async () => {
      db.replica.purge(0, 100);
      await db.flush();
    });
    say({ t: 'stage', name: 'purged' });
  },
  more: async () => {
    for (let i = 0; i < 4; i++) await write([`b${i}`]);
    await write(['u1', 'u2', 'u3']);
  },
  reopen: async () => {
    await close();
    await open();
    await write(['a0']);
  },
  restore: async () => {
    await close();
    say({ t: 'stage', name: 'restore' });
    const path = join(folder, 'entgldb.db');
    await insist('restore', () =>
      restoreSqliteFile({ backupPath: BACKUP, path, pid: process.pid, clock: systemClock }),
    );
    say({ t: 'stage', name: 'restored' });
    await open();
    await write(['r0']);
    await write(['a0']);
  },
  close,
};

process.on('uncaughtException', (error) => {
  say({ t: 'problem', at: 'uncaught', ...describe(error) });
  process.exit(70);
});
try {
  for (const name of stageNames.split(',')) await STAGES[name]!();
  say({ t: 'stage', name: 'end' });
} catch (error) {
  say({ t: 'problem', at: 'gave up', ...describe(error) });
  await close();
  process.exit(3);
}
process.exit(0);
