/** The populated folder in which commands are interrupted, as a node that was stopped left it and as one that was killed did. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openTortureNode, readAll, until } from './open.ts';
import { withPeer } from './peer.ts';

/** Number of each document, by key. */
export type Contents = ReadonlyMap<string, number>;

export interface Populated {
  /** Its files after a stop. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Its files after `kill -9`, with the same documents. */
  readonly killed: ReadonlyMap<string, Buffer>;
  readonly ledger: Contents;
  /** What the backup `saved.db` holds. */
  readonly saved: Contents;
  /** The collection `big` as NDJSON. */
  readonly exported: string;
  readonly bigCount: number;
  readonly blobId: string;
  /** Id that `picture.bin` gets. */
  readonly pictureId: string;
  /** Numbers of the document `k` of `met` in the only conflict. */
  readonly lost: number;
  readonly won: number;
  /** What is wrong with a database file, logs beside it included, that should hold this ledger. */
  backupProblems(path: string, ledger: Contents): Promise<string[]>;
  /** What is wrong with the database that a restore has set aside. */
  replacedProblems(folder: string): Promise<string[]>;
}

const MAIN = 'entgldb.db';
const LOGS = ['-wal', '-redo'];
const DOCUMENTS = 30;
const SAVED = 10;
/** An export of more than two marks. */
const BIG_DOCUMENTS = 2500;
const PAD = 'x'.repeat(900);
/** More than are written to SQLite before the redo log takes them. */
const LAST_WRITES = 14;
/** How many documents `in.ndjson` holds: more than fit into one transaction. */
export const IMPORTED = 2500;
export const BLOB_BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 251));
const PICTURE_BYTES = Buffer.from(Array.from({ length: 150_000 }, (_, i) => (i * 104_729) % 253));

const SETTINGS = {
  EntglDb: {
    NodeId: 'victim',
    Network: { AuthToken: 'x'.repeat(32), TcpPort: 0, EnableDiscovery: false, LocalhostOnly: true },
    Persistence: { DatabasePath: MAIN, BackupPath: '.', EnableAutoBackup: false },
    Http: { Port: 0 },
  },
};

/** Fills a folder, and reads it. */
export async function populate(scratch: string): Promise<Populated> {
  const folder = join(scratch, 'populated');
  mkdirSync(folder);
  writeFileSync(join(folder, 'appsettings.json'), JSON.stringify(SETTINGS));
  writeFileSync(join(folder, 'picture.bin'), PICTURE_BYTES);
  writeFileSync(join(folder, 'out.ndjson'), 'an older export');
  const lines = Array.from({ length: IMPORTED }, (_, n) => JSON.stringify({ key: `i${n}`, value: { n } }));
  writeFileSync(join(folder, 'in.ndjson'), lines.join('\n'));
  const { lost, won, pictureId } = await makeConflict(scratch, folder);
  const { node, db } = await openTortureNode({ folder, nodeId: 'victim' });
  const ledger = db.collection('ledger');
  await ledger.putMany(Array.from({ length: SAVED }, (_, n) => [`k${n}`, { n }] as const));
  const saved = await readAll(db);
  await node.maintenance!.backup('saved.db');
  rmSync(join(folder, 'latest.db'), { force: true });
  await ledger.putMany(Array.from({ length: DOCUMENTS }, (_, n) => [`k${n}`, { n, pad: PAD }] as const));
  await ledger.ensureIndex({ on: ['n'], name: 'by-n' });
  const big = Array.from(
    { length: BIG_DOCUMENTS },
    (_, n) => [`b${String(n).padStart(5, '0')}`, { n, pad: PAD }] as const,
  );
  for (let i = 0; i < big.length; i += 500) await db.collection('big').putMany(big.slice(i, i + 500));
  const gone = Array.from({ length: 400 }, (_, n) => [`g${n}`, { n, pad: PAD }] as const);
  await db.collection('gone').putMany(gone);
  await db.collection('gone').deleteMany(gone.map(([key]) => key));
  const { $blob: blobId } = await db.blobs.put([BLOB_BYTES]);
  for (let n = 0; n < LAST_WRITES; n++) await ledger.put(`k${n}`, { n: 100 + n });
  const killed = readFiles(folder);
  const found = await readAll(db);
  await node.close();
  for (const suffix of ['', ...LOGS]) {
    const bytes = killed.get(`${MAIN}${suffix}`);
    if (bytes !== undefined) writeFileSync(join(folder, `dead.db${suffix}`), bytes);
  }
  const dead = [...readFiles(folder)].filter(([name]) => name.startsWith('dead.db'));
  const backupProblems: Populated['backupProblems'] = (path, contents) => problemsOf(scratch, path, contents);
  return {
    files: readFiles(folder),
    killed: new Map([...killed, ...dead]),
    ledger: found,
    saved,
    exported: big.map(([key, value]) => `${JSON.stringify({ key, value })}\n`).join(''),
    bigCount: BIG_DOCUMENTS,
    ...{ blobId, pictureId, lost, won },
    backupProblems,
    replacedProblems: async (of) => {
      const names = readdirSync(of).filter((name) => /^entgldb\.db\.replaced-\d+$/.test(name));
      const all = await Promise.all(names.map((name) => problemsOf(scratch, join(of, name), found)));
      return all.some((problems) => problems.length === 0) ? [] : ['what was replaced is lost', ...all.flat()];
    },
  };
}

/** Lets victim and peer write one document unseen by each other, and meet. */
async function makeConflict(scratch: string, folder: string) {
  return withPeer(join(scratch, 'other'), async (address, { db: peer }) => {
    const alone = await openTortureNode({ folder, nodeId: 'victim' });
    await alone.db.collection('met').put('k', { n: 1 });
    await alone.node.close();
    await peer.collection('met').put('k', { n: 2 });
    const { $blob: pictureId } = await peer.blobs.put([PICTURE_BYTES]);
    const { node, db } = await openTortureNode({ folder, nodeId: 'victim', peer: address });
    await until('they met', async () => (await db.conflicts()).length > 0);
    const [conflict] = await db.conflicts();
    await node.close();
    return { lost: numberOf(conflict!.loser.value), won: numberOf(conflict!.winner.value), pictureId };
  });
}

function numberOf(value: unknown): number {
  return (value as { n: number }).n;
}

export function readFiles(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder).filter((name) => !/-shm$|\.lock$|\.pid$|\.node\.json$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes, { mode: 0o600 });
}

async function problemsOf(scratch: string, path: string, ledger: Contents): Promise<string[]> {
  const folder = mkdtempSync(join(scratch, 'opened-'));
  try {
    for (const suffix of ['', ...LOGS])
      if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, `${MAIN}${suffix}`));
    const { node, db } = await openTortureNode({ folder, nodeId: 'opened' });
    try {
      return differences(await readAll(db), [ledger]).map((text) => `${path}: ${text}`);
    } finally {
      await node.close();
    }
  } catch (error) {
    return [`${path} cannot be opened: ${String(error)}`];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How the contents differ from all that are allowed. */
export function differences(found: Contents, allowed: readonly Contents[]): string[] {
  if (allowed.some((each) => isSame(each, found))) return [];
  const nearest = allowed.at(-1)!;
  const wrong = [...nearest]
    .filter(([key, n]) => found.get(key) !== n)
    .map(([key, n]) => `${key} is ${found.get(key)}, not ${n}`);
  return [`${found.size} documents, not ${allowed.map(({ size }) => size).join(' or ')}`, ...wrong.slice(0, 3)];
}

function isSame(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([key, n]) => b.get(key) === n);
}
