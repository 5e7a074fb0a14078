/**
 * Goal: a power cut at any moment loses no acknowledged write with durability `full`, and only the newest whole writes with
 * `normal`. The database opens by itself, and no dot is used twice.
 * Method: the system calls of a scripted life are recorded in one order with its acknowledgements. For a cut anywhere, the
 * disk is rebuilt with none, all, some or parts of what was not synced, and opened. The crash tests of SQLite
 * (sqlite.org/testing.html) treat names and bytes of files separately in the same way.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors/index.ts';
import { parseDeviceKey } from '../../src/net/tcp/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { DiskImage, SURVIVALS, type Survival, verifyImage } from './disk-image.ts';
import { Folder } from './folder.ts';
import { Ledger, type Line } from './ledger.ts';
import { openTortureNode, readAll } from './open.ts';
import { withPeer } from './peer.ts';
import { withScratch } from './scratch.ts';
import { runLife, straceProblem } from './strace.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, skippedResult, Tally } from './suite.ts';
import { parseTrace, TRACE_ARGS, type TraceEvent } from './trace.ts';

type Durability = 'full' | 'normal';

/** One recorded life. */
interface Recording {
  readonly folder: string;
  readonly durability: Durability;
  readonly events: readonly TraceEvent[];
  readonly backup: Buffer;
}

/** The lives to record. One of them restores a backup, and so ends with another main file. */
const LIVES: readonly { readonly durability: Durability; readonly stages: readonly string[] }[] = [
  {
    durability: 'full',
    stages: ['first', 'sync', 'together', 'delete', 'backup', 'purge', 'more', 'reopen', 'close'],
  },
  { durability: 'full', stages: ['first', 'backup', 'more', 'restore', 'close'] },
  { durability: 'normal', stages: ['first', 'delete', 'backup', 'purge', 'more', 'reopen', 'close'] },
];

const MAIN = 'entgldb.db';
const BACKUP = 'copy.db';
/** One in this many images gets a full integrity check. */
const CHECKED_EVERY = 20;

export const powerCuts: Suite = {
  name: 'power cuts',
  about: 'disks rebuilt with none, all, some or parts of what was not synced',
  counts: { ci: 400, full: 20_000 },
  run,
};

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const { count, seed } = options;
  const why = straceProblem();
  if (why !== null) return skippedResult(why);
  const tally = new Tally();
  const lost = { most: 0, images: 0, inNormal: 0 };
  await withScratch(async (scratch) => {
    for (const [i, life] of LIVES.entries()) {
      const recording = await record(join(scratch, `life${i}`), life);
      const share = Math.ceil(count / LIVES.length);
      const disk = new DiskImage(recording.folder);
      const folder = new Folder(recording.folder, MAIN);
      const ledger = new Ledger();
      let next = 0;
      for (let nth = 0; nth < share && mayBegin(options, tally); nth++) {
        const random = createSeededRandom(seed * 1_000_003 + nth);
        // From before the first event to after the last one.
        const cut = Math.floor(((nth + random.integer(0, 99) / 100) / share) * (recording.events.length + 1));
        for (; next < cut; next++) {
          const event = recording.events[next]!;
          disk.apply(event);
          if (event.kind === 'line') ledger.note(event.line);
        }
        const survival = SURVIVALS[nth % SURVIVALS.length]!;
        folder.lay(disk.after(survival, random));
        const found = await check(recording, ledger, nth % CHECKED_EVERY === 0);
        if (recording.durability === 'normal') {
          lost.inNormal++;
          if (found.missing > 0) lost.images++;
          lost.most = Math.max(lost.most, found.missing);
        }
        const name = `life ${i}, ${nameOf(seed, nth, survival)}, cut after ${cut} of ${recording.events.length} calls`;
        if (found.problems.length > 0) tally.fail(name, found.problems);
        else tally.add('kept');
      }
    }
  });
  tally.notes.push(
    `durability normal: ${lost.images} of ${lost.inNormal} images miss acknowledged writes, at most the newest ${lost.most}`,
  );
  return tally.result();
}

function nameOf(seed: number, nth: number, survival: Survival): string {
  return `seed ${seed} image ${nth}, ${survival}`;
}

async function record(folder: string, life: (typeof LIVES)[number]): Promise<Recording> {
  const disk = join(folder, 'disk');
  const log = join(folder, 'calls');
  await mkdir(disk, { recursive: true });
  const { lines, code, stderr } = await withPeer(join(folder, 'peer'), (peer) =>
    runLife({ folder: disk, peer: life.stages.includes('sync') ? peer : '-', ...life }, [...TRACE_ARGS, '-o', log]),
  );
  if (code !== 0) throw new Error(`the life ended with ${code}: ${stderr}\n${lines.map(textOf).join('\n')}`);
  const { events, unknown } = parseTrace(await readFile(log, 'utf8'), disk);
  if (unknown.length > 0) throw new Error(`the life made calls that the images do not know: ${unknown.join(', ')}`);
  verifyImage(disk, new Map(), events);
  return { folder: disk, durability: life.durability, events, backup: await readFile(join(disk, BACKUP)) };
}

async function check(
  { folder, durability, backup }: Recording,
  ledger: Ledger,
  isWhole: boolean,
): Promise<{ problems: string[]; missing: number }> {
  const problems = filesProblems(folder, ledger, backup);
  let missing = 0;
  try {
    const { node, db } = await openTortureNode({ folder, nodeId: 'victim', durability });
    try {
      const found = await readAll(db);
      if (durability === 'full') problems.push(...ledger.problems(found));
      else missing = missingIn(ledger, found, problems);
      await db.collection('after').put('k', { n: 1 });
      const used = ledger.usedSeqs.get(db.replica.id) ?? 0;
      if (db.replica.seq <= used) problems.push(`seq ${db.replica.seq} was used before, up to ${used}`);
      if (isWhole) await node.maintenance.checkIntegrity();
    } finally {
      await node.close();
    }
  } catch (error) {
    problems.push(`not usable afterwards: ${messageOf(error)}`);
  }
  return { problems, missing };
}

function missingIn(ledger: Ledger, found: ReadonlyMap<string, number>, problems: string[]): number {
  const missing = ledger.missingOfPrefix(found);
  if (missing === undefined) problems.push('what is there was never so at one time');
  return Math.max(0, missing ?? 0);
}

function filesProblems(folder: string, ledger: Ledger, backup: Buffer): string[] {
  const problems: string[] = [];
  const copy = join(folder, BACKUP);
  const isThere = existsSync(copy);
  if (ledger.has('backed up') && !isThere) problems.push('the finished backup is gone');
  if (isThere && !readFileSync(copy).equals(backup)) problems.push('half a backup lies under the final name');
  const device = join(folder, `${MAIN}.device`);
  if (existsSync(device) && parseDeviceKey(readFileSync(device, 'utf8')) === undefined)
    problems.push('the device key cannot be read, so the node becomes another device');
  return problems;
}

function textOf(line: Line): string {
  return JSON.stringify(line);
}
