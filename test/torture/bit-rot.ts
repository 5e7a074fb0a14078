/**
 * Goal: whatever rots in a file, each read returns the truth or throws an error of this library, nothing opens as an empty
 * or different database, and a healthy peer brings back what was damaged.
 * Method: a database with known content. One bit is flipped, or pages are zeroed, exchanged, overwritten or cut off: in the
 * main file, in the log of a killed process, or in a backup. Then every read is compared with the known content.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Document, EntglDbError } from '../../src/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { restoreSqliteFile, verifySqliteFile } from '../../src/store/sqlite/index.ts';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { Folder } from './folder.ts';
import { type OpenedNode, openTortureNode, until } from './open.ts';
import { type Peer, withPeer } from './peer.ts';
import { withScratch } from './scratch.ts';
import { mayBegin, type Outcome, type Suite, type SuiteOptions, type SuiteResult, Tally } from './suite.ts';

const MAIN = 'entgldb.db';
const LOG = 'entgldb.db-wal';
const REDO = 'entgldb.db-redo';
const BACKUP = 'copy.db';
const COLLECTION = 'archive';
const DOCUMENTS = 60;
const PAGE_BYTES = 4096;

type Content = ReadonlyMap<string, unknown>;

/** The files of a database, and what it must contain. */
interface Specimen {
  readonly folder: Folder;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly content: Content;
}

interface Verdict {
  readonly outcome: Outcome;
  readonly problems: readonly string[];
}

type Case = (specimen: Specimen, random: SeededRandom) => Promise<Verdict>;

export const rotInDatabase: Suite = {
  name: 'bit rot, database',
  about: 'one bit of the main file flipped',
  counts: { ci: 200, full: 5000 },
  run: (options) => runCases(options, 'closed', (specimen, random) => rot(specimen, MAIN, flip, random)),
};

export const rotInLog: Suite = {
  name: 'bit rot, log',
  about: 'one bit of the write-ahead log of a killed process flipped',
  counts: { ci: 60, full: 1000 },
  run: (options) => runCases(options, 'killed', (specimen, random) => rot(specimen, LOG, flip, random)),
};

export const rotInRedo: Suite = {
  name: 'bit rot, redo log',
  about: 'one bit of what the redo log of a killed process holds flipped',
  counts: { ci: 60, full: 1000 },
  run: (options) => runCases(options, 'killed', (specimen, random) => rot(specimen, REDO, flipWritten, random)),
};

export const rotInPages: Suite = {
  name: 'bad pages',
  about: 'pages of the main file zeroed, exchanged, overwritten or cut off',
  counts: { ci: 40, full: 500 },
  run: (options) => runCases(options, 'closed', (specimen, random) => rot(specimen, MAIN, spoilPages, random)),
};

export const rotInBackup: Suite = {
  name: 'bit rot, backup',
  about: 'one bit of a backup flipped, then restored',
  counts: { ci: 20, full: 500 },
  run: (options) => runCases(options, 'closed', rotBackup),
};

export const rotHealed: Suite = {
  name: 'bit rot, healed',
  about: 'a document damaged on one of two nodes that are connected',
  counts: { ci: 3, full: 50 },
  run: runHealing,
};

async function runCases(options: SuiteOptions, state: 'closed' | 'killed', run: Case): Promise<SuiteResult> {
  const { count, seed } = options;
  const tally = new Tally();
  await withScratch(async (scratch) => {
    const specimen = await makeSpecimen(join(scratch, 'victim'), state);
    for (let i = 0; i < count && mayBegin(options, tally); i++) {
      const caseSeed = seed * 1_000_003 + i;
      specimen.folder.lay(specimen.files);
      const { outcome, problems } = await run(specimen, createSeededRandom(caseSeed));
      if (outcome === 'silent') tally.fail(`seed ${seed} case ${i}`, problems);
      else tally.add(outcome);
    }
  });
  return tally.result();
}

/** `killed`: its log has not been copied into the main file. */
async function makeSpecimen(path: string, state: 'closed' | 'killed', peer?: Peer): Promise<Specimen> {
  await mkdir(path, { recursive: true });
  const { node, db } = await openTortureNode({ folder: path, nodeId: 'victim', ...(peer && { peer: peer.address }) });
  const documents = db.collection(COLLECTION);
  await documents.ensureIndex('i');
  for (let i = 0; i < DOCUMENTS; i++) await documents.put(keyOf(i), documentOf(i, 'first'));
  await documents.deleteMany(Array.from({ length: DOCUMENTS / 6 }, (_, i) => keyOf(i * 6)));
  await node.maintenance.backup(join(path, BACKUP), { isAnywhereAllowed: true });
  if (state === 'killed') for (let i = 0; i < DOCUMENTS; i += 4) await documents.put(keyOf(i), documentOf(i, 'second'));
  const folder = new Folder(path, MAIN);
  // Immediately: a moment later, what is in the redo log now will be in the database.
  const killed = folder.read();
  const content = new Map<string, unknown>();
  for await (const [key, value] of documents.entries()) content.set(key, value);
  const theirs = peer?.db.collection(COLLECTION);
  if (theirs !== undefined) await until('the peer has all', async () => (await theirs.count()) === content.size);
  await node.close();
  return { folder, files: state === 'killed' ? killed : folder.read(), content };
}

function keyOf(i: number): string {
  return `document ${i}`;
}

function documentOf(i: number, text: string): Document {
  return { i, text: `${text} text of document ${i} `.repeat(1 + (i % 9) * 4), list: [i, null, true, { deep: i / 7 }] };
}

type Spoil = (bytes: Buffer, random: SeededRandom) => Buffer;

function flip(bytes: Buffer, random: SeededRandom): Buffer {
  const spoiled = Buffer.from(bytes);
  spoiled[random.integer(0, bytes.length - 1)]! ^= 1 << random.integer(0, 7);
  return spoiled;
}

/** Flips a bit of a byte that is not zero: the file begins as zeros, and a flip where nothing was written shows nothing. */
function flipWritten(bytes: Buffer, random: SeededRandom): Buffer {
  const spoiled = Buffer.from(bytes);
  let at = 0;
  do at = random.integer(0, bytes.length - 1);
  while (bytes[at] === 0);
  spoiled[at]! ^= 1 << random.integer(0, 7);
  return spoiled;
}

function spoilPages(bytes: Buffer, random: SeededRandom): Buffer {
  const spoiled = Buffer.from(bytes);
  const pages = bytes.length / PAGE_BYTES;
  const [a, b] = [random.integer(0, pages - 1), random.integer(0, pages - 1)];
  const page = (n: number): Buffer => spoiled.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES);
  const kept = Buffer.from(page(a));
  switch (random.pick(['zeroed', 'exchanged', 'misdirected', 'cut off', 'cut in a page'])) {
    case 'zeroed':
      page(a).fill(0);
      return spoiled;
    case 'exchanged':
      page(b).copy(page(a));
      kept.copy(page(b));
      return spoiled;
    case 'misdirected':
      kept.copy(page(b));
      return spoiled;
    case 'cut off':
      return spoiled.subarray(0, a * PAGE_BYTES);
    default:
      return spoiled.subarray(0, random.integer(0, bytes.length - 1));
  }
}

async function rot({ folder, files, content }: Specimen, name: string, spoil: Spoil, random: SeededRandom) {
  folder.lay(new Map([...files, [name, spoil(files.get(name)!, random)]]));
  return judge(folder.path, content);
}

async function rotBackup({ folder, files, content }: Specimen, random: SeededRandom): Promise<Verdict> {
  folder.lay(new Map([...files, [BACKUP, flip(files.get(BACKUP)!, random)]]));
  const backupPath = join(folder.path, BACKUP);
  try {
    const damage = await verifySqliteFile(backupPath, { clock: systemClock });
    if (damage.length > 0) return { outcome: 'reported', problems: [] };
    await restoreSqliteFile({ backupPath, path: join(folder.path, MAIN), pid: process.pid, clock: systemClock });
  } catch (error) {
    return refused(error);
  }
  return judge(folder.path, content);
}

/** Opens the database and compares everything that it says. */
async function judge(path: string, content: Content): Promise<Verdict> {
  let opened: OpenedNode;
  try {
    opened = await openTortureNode({ folder: path, nodeId: 'victim' });
  } catch (error) {
    return refused(error);
  }
  const { node } = opened;
  try {
    const { lies, errors, untyped } = await compare(opened, content);
    if (untyped.length > 0) return { outcome: 'silent', problems: untyped };
    const { damaged, missing, fileProblem } = node.services.repair.status();
    const isTold = errors > 0 || damaged > 0 || missing > 0 || fileProblem !== null || node.status().notices.length > 0;
    if (lies.length === 0) return { outcome: isTold ? 'reported' : 'kept', problems: [] };
    // After damage was found, its row is gone until a peer or a backup brings it: its absence was reported.
    if (isTold && lies.every((lie) => lie.endsWith('absent'))) return { outcome: 'reported', problems: [] };
    // A log that ends early takes the database back to an earlier state.
    const isCutBack = node.status().notices.some((notice) => notice.includes('newest writes'));
    if (isCutBack && lies.every((lie) => /(?:absent|earlier|more)$/.test(lie)))
      return { outcome: 'reported', problems: [] };
    const check = await checkOf(opened);
    return { outcome: 'silent', problems: [`the check says ${check ?? 'nothing'}`, ...lies] };
  } finally {
    await node.close().catch(() => {});
  }
}

function refused(error: unknown): Verdict {
  if (error instanceof EntglDbError) return { outcome: 'reported', problems: [] };
  return { outcome: 'silent', problems: [`no error of this library: ${(error as Error).stack}`] };
}

async function checkOf({ node }: OpenedNode): Promise<string | undefined> {
  try {
    await node.maintenance.checkIntegrity();
    return undefined;
  } catch (error) {
    return (error as Error).message.slice(0, 200);
  }
}

async function compare({ db }: OpenedNode, content: Content) {
  const documents = db.collection(COLLECTION);
  const lies: string[] = [];
  const untyped: string[] = [];
  let errors = 0;
  const read = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof EntglDbError) errors++;
      else untyped.push(`${what}: ${(error as Error).stack}`);
    }
  };
  const see = (what: string, key: string, value: unknown): void => {
    if (isDeepStrictEqual(value, content.get(key))) return;
    const isEarlier = isDeepStrictEqual(value, documentOf(Number(key.split(' ')[1]), 'first'));
    lies.push(`${what} ${key}: ${value === undefined ? 'absent' : isEarlier ? 'earlier' : 'another value'}`);
  };
  for (let i = 0; i < DOCUMENTS; i++)
    await read('get', async () => see('get', keyOf(i), await documents.get(keyOf(i))));
  await read('entries', async () => {
    const found = new Map<string, unknown>();
    for await (const [key, value] of documents.entries()) found.set(key, value);
    for (const key of new Set([...content.keys(), ...found.keys()])) see('entries', key, found.get(key));
  });
  await read('find', async () => {
    const found = new Map(await documents.findEntries({ i: { $gte: 0 } }));
    for (const key of new Set([...content.keys(), ...found.keys()])) see('find', key, found.get(key));
  });
  await read('count', async () => {
    const count = await documents.count();
    if (count !== content.size)
      lies.push(`count says ${count} of ${content.size}: ${count < content.size ? 'absent' : 'more'}`);
  });
  return { lies, errors, untyped };
}

async function runHealing(options: SuiteOptions): Promise<SuiteResult> {
  const { count, seed } = options;
  const tally = new Tally();
  await withScratch((scratch) =>
    withPeer(join(scratch, 'peer'), async (address, peer) => {
      const specimen = await makeSpecimen(join(scratch, 'victim'), 'closed', peer);
      for (let i = 0; i < count && mayBegin(options, tally); i++) {
        const problem = await heal(specimen, createSeededRandom(seed * 1_000_003 + i), address);
        if (problem === undefined) tally.add('healed');
        else tally.fail(`seed ${seed} case ${i}`, [problem]);
      }
      await rm(join(scratch, 'victim'), { recursive: true });
    }),
  );
  return tally.result();
}

/** Damages the text of one document in the file, and only opens the node. Returns what was not healed, or undefined. */
async function heal(specimen: Specimen, random: SeededRandom, peer: string): Promise<string | undefined> {
  const { folder, files, content } = specimen;
  const key = random.pick([...content.keys()]);
  const { i } = content.get(key) as { i: number };
  const bytes = Buffer.from(files.get(MAIN)!);
  const at = bytes.indexOf(`first text of document ${i} `);
  if (at < 0) return `${key} is not in the file`;
  bytes[at + random.integer(0, 20)]! ^= 1 << random.integer(0, 6);
  folder.lay(new Map([...files, [MAIN, bytes]]));
  const opened = await openTortureNode({ folder: folder.path, nodeId: 'victim', peer });
  try {
    await until(`${key} is healed`, async () => {
      const { lies, errors, untyped } = await compare(opened, content);
      return lies.length + errors + untyped.length === 0;
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await opened.node.close();
  }
}
