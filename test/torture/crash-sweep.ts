/**
 * Goal: if a process dies at any call that changes the disk, or if such a call fails, no acknowledged write is lost, every
 * other write is whole or absent, the database opens again by itself, and no dot is used twice.
 * Method: the scripted life runs under strace, and is killed at the Nth such call or gets an error instead. Then the database
 * is opened here, compared with what the life printed, written to and, in some cases, synced with the peer until both are
 * equal.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalDatabase } from '../../src/database/database.ts';
import { nowMs, runningMs } from '../integration/running-time.ts';
import { Ledger, type Line } from './ledger.ts';
import { openTortureNode, readAll, until } from './open.ts';
import { contentsOf, type Peer, withPeer } from './peer.ts';
import { withScratch } from './scratch.ts';
import { countCalls, injection, type LifeEnd, runLife, straceProblem } from './strace.ts';
import {
  mayBegin,
  type Outcome,
  type Suite,
  type SuiteOptions,
  type SuiteResult,
  skippedResult,
  spread,
  Tally,
} from './suite.ts';

const STAGES = ['first', 'sync', 'together', 'delete', 'backup', 'purge', 'more', 'reopen', 'restore', 'close'];
/** One in this many cases is synced with its peer afterwards. */
const SYNCED_EVERY = 5;
/** A shell's exit code for SIGKILL; strace itself ends in the way of the process that it traced. */
const KILLED = 128 + 9;
/** How soon a database must be ready after a crash, in a process that has already loaded the code. */
const READY_MS_MAX = 2000;

interface Point {
  readonly call: string;
  readonly what: string;
  readonly nth: number;
}

export const crashSweep: Suite = {
  name: 'crash sweep',
  about: 'killed at the Nth write, sync, rename or unlink',
  counts: { ci: 12, full: 700 },
  run: (options) => sweep(options, () => ['signal=KILL'], judgeKilled),
};

export const diskErrors: Suite = {
  name: 'disk errors',
  about: 'EIO or ENOSPC instead of the Nth write, sync, rename or unlink',
  counts: { ci: 10, full: 700 },
  run: (options) => sweep(options, errorsOf, judgeRefused),
};

function errorsOf(call: string): string[] {
  return call.endsWith('sync') || call === 'unlink' ? ['error=EIO'] : ['error=ENOSPC', 'error=EIO'];
}

/** `missed`: this life ended before it reached the call; lives differ a little in how often they write. */
type Judge = (end: LifeEnd) => { readonly outcome: Outcome | 'missed'; readonly problems: readonly string[] };

async function sweep(options: SuiteOptions, faults: (call: string) => string[], judge: Judge): Promise<SuiteResult> {
  const why = straceProblem();
  if (why !== null) return skippedResult(why);
  const tally = new Tally();
  await withScratch(async (folder) => {
    const points = spread(await allPoints(folder, faults), options.count, options.seed);
    let acknowledged = 0;
    let readyMs = 0;
    let missed = 0;
    for (const [i, point] of points.entries()) {
      if (!mayBegin(options, tally)) break;
      const name = `${point.call} ${point.nth} ${point.what}`;
      const found = await runPoint(join(folder, `p${i}`), point, judge, i % SYNCED_EVERY === 0);
      acknowledged += found.acknowledged;
      readyMs = Math.max(readyMs, found.readyMs);
      if (found.problems.length > 0) tally.fail(name, found.problems);
      else if (found.outcome === 'missed') missed++;
      else tally.add(found.outcome);
    }
    tally.notes.push(
      `${acknowledged} acknowledged writes, ready again in at most ${Math.round(readyMs)} ms, ${missed} points not reached`,
    );
  });
  return tally.result();
}

async function allPoints(folder: string, faults: (call: string) => string[]): Promise<Point[]> {
  const [life, log] = [join(folder, 'count'), join(folder, 'count.log')];
  await mkdir(life);
  const calls = await withPeer(join(folder, 'count-peer'), (peer) =>
    countCalls({ folder: life, peer, stages: STAGES }, log),
  );
  return [...calls].flatMap(([call, count]) =>
    faults(call).flatMap((what) => Array.from({ length: count }, (_, i) => ({ call, what, nth: i + 1 }))),
  );
}

interface PointResult {
  readonly outcome: Outcome | 'missed';
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly readyMs: number;
}

async function runPoint(folder: string, point: Point, judge: Judge, isSynced: boolean): Promise<PointResult> {
  const life = join(folder, 'victim');
  await mkdir(life, { recursive: true });
  try {
    return await withPeer(join(folder, 'peer'), async (address, peer) => {
      const end = await runLife(
        { folder: life, peer: address, stages: STAGES },
        injection(point.call, point.what, point.nth),
      );
      const { outcome, problems } = judge(end);
      const ledger = Ledger.of(end.lines);
      const start = nowMs();
      const after = [...problems];
      let readyMs = 0;
      try {
        after.push(
          ...(await openAndCheck(life, ledger, isSynced ? peer : undefined, () => {
            readyMs = runningMs(start);
          })),
        );
      } catch (error) {
        after.push(`not usable afterwards: ${error instanceof Error ? error.stack : String(error)}`);
      }
      if (readyMs > READY_MS_MAX) after.push(`ready after ${Math.round(readyMs)} ms only`);
      return { outcome, problems: after, acknowledged: ledger.acknowledged, readyMs };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is wrong with the database that a life left. Throws what opening or writing throws. */
async function openAndCheck(
  folder: string,
  ledger: Ledger,
  peer: Peer | undefined,
  onReady: () => void,
): Promise<string[]> {
  const { node, db } = await openTortureNode({ folder, nodeId: 'victim', ...(peer && { peer: peer.address }) });
  try {
    onReady();
    const { replica } = db;
    // Compared at once: with a network, lost writes may soon come back, which is right too.
    const problems = ledger.problems(await readAll(db));
    await node.maintenance.checkIntegrity();
    const { id } = replica;
    await db.collection('after').put('k', { n: 1 });
    const used = ledger.usedSeqs.get(id) ?? 0;
    // With a network, a peer may already have told this node of lost writes, which makes it take a new id.
    if (replica.id === id && replica.seq <= used)
      problems.push(`seq ${replica.seq} of ${replica.id} was used before, up to ${used}`);
    if (ledger.usedSeqs.size > 0 && !ledger.has('restore') && !ledger.usedSeqs.has(replica.id))
      problems.push('a new replica id although nothing was copied');
    if (peer !== undefined) await until('equal with the peer', () => isEqual(db, peer.db));
    return problems;
  } finally {
    await node.close();
  }
}

async function isEqual(a: LocalDatabase, b: LocalDatabase): Promise<boolean> {
  return (await contentsOf(a)) === (await contentsOf(b));
}

/** A killed life must have reported no failure. */
function judgeKilled({ lines, code, signal, stderr }: LifeEnd): ReturnType<Judge> {
  const wrong = lines.filter((line) => line.t === 'problem' || line.t === 'fail').map(textOf);
  if (code === 0 && wrong.length === 0) return { outcome: 'missed', problems: [] };
  if (signal !== 'SIGKILL' && code !== KILLED) wrong.push(`was not hit, ended with ${code}: ${stderr.slice(-500)}`);
  return { outcome: 'kept', problems: wrong };
}

function judgeRefused({ lines, code, signal, stderr }: LifeEnd): ReturnType<Judge> {
  const told = lines.filter((line) => line.t === 'problem' || line.t === 'fail');
  const problems = told.filter((line) => line.code === 'UNTYPED' || line.reason === 'undefined').map(textOf);
  if (code !== 0 && code !== 3) problems.push(`crashed with ${code ?? signal}: ${stderr.slice(-1500)}`);
  if (code === 3) return { outcome: 'reported', problems };
  return { outcome: told.length === 0 ? 'kept' : 'healed', problems };
}

function textOf(line: Line): string {
  return JSON.stringify(line);
}
