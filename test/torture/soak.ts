/**
 * Two nodes in steady use: writes, deletes, reads and short absences from the network, over the same documents. Memory, open
 * files, the write-ahead log, the database and the log files must not grow with time.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { withScope } from '../integration/cleanup.ts';
import { areEqual, NodeProcess, writeToken } from '../integration/node-process.ts';
import { withScratch } from './scratch.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, skippedResult, Tally } from './suite.ts';
import { timeUntil } from './time-until.ts';

/** Length of one case. */
const INTERVAL_MS = 5000;
const KEYS = 500;
const WRITE_MS = [0, 12] as const;
const ABSENCE_MS = [100, 2000] as const;
const ABSENCE_CHANCE = 0.2;
const EQUAL_MS_MAX = 30_000;
const PAD = 'x'.repeat(400);
const LOG = { MaxLogFileSizeMb: 1, MaxLogFiles: 3 } as const;
const MIB = 2 ** 20;

const WAL_BYTES_MAX = 64 * MIB;
const LOG_BYTES_MAX = (LOG.MaxLogFiles + 1) * LOG.MaxLogFileSizeMb * MIB;
const DATABASE_BYTES_MAX = 32 * MIB;
/** Two threads come and go, each with a dozen open files. */
const FILES_GROWTH_MAX = 8 + 2 * 12;
/** Cases before memory is measured: code is compiled, and caches fill. */
const WARM_CASES = 12;
const MEMORY_GROWTH_BYTES_PER_MINUTE_MAX = MIB / 2;
/** A small heap soon fills with garbage, so growth after that is a leak. */
const NODE_OPTIONS = '--max-old-space-size=48 --max-semi-space-size=2';

export const soak: Suite = {
  name: 'soak',
  about: 'steady use; memory, open files, database and logs stay as they are',
  counts: { ci: 2, full: 360 },
  run,
};

interface Size {
  readonly atMs: number;
  readonly memory: number;
  readonly files: number;
  readonly wal: number;
  readonly database: number;
  readonly log: number;
}

interface Pair {
  readonly nodes: readonly NodeProcess[];
  readonly random: SeededRandom;
  writes: number;
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  if (process.platform !== 'linux') return skippedResult('what a process takes is read from /proc, which Linux has');
  const tally = new Tally();
  await withScratch((folder) =>
    withScope(async (scope) => {
      const tokenFile = await writeToken(folder);
      const start = (name: string, peers: readonly string[]): Promise<NodeProcess> => {
        const at = join(folder, name);
        const Logging = { LogLevel: { Default: 'Debug' }, LogFilePath: join(at, 'log', 'node.log'), ...LOG };
        const settings = { Network: { LocalhostOnly: true }, Logging };
        return NodeProcess.start(scope, { folder: at, name, tokenFile, peers, settings, env: { NODE_OPTIONS } });
      };
      const hub = await start('hub', []);
      const nodes = [hub, await start('till', [hub.address])];
      await runCases({ nodes, random: createSeededRandom(options.seed), writes: 0 }, options, tally);
    }),
  );
  return tally.result();
}

async function runCases(pair: Pair, options: SuiteOptions, tally: Tally): Promise<void> {
  const sizes: Size[][] = pair.nodes.map(() => []);
  for (let i = 0; i < options.count; i++) {
    if (!mayBegin(options, tally)) break;
    await use(pair);
    const ms = await timeUntil(() => areEqual(pair.nodes), EQUAL_MS_MAX);
    pair.nodes.forEach((node, at) => {
      sizes[at]!.push(sizeOf(node));
    });
    const problems = sizes.flatMap((each, at) => judge(each).map((what) => `${pair.nodes[at]!.ready.nodeId}: ${what}`));
    if (ms === undefined) problems.push(`not equal within ${EQUAL_MS_MAX} ms`);
    if (problems.length === 0) tally.add('kept');
    else tally.fail(`after ${i + 1} times ${INTERVAL_MS} ms, seed ${options.seed}`, problems);
  }
  if (sizes.some(isGrowing)) tally.fail(`in the end, seed ${options.seed}`, [slopeText(sizes)]);
  const last = sizes.map((each) => each.at(-1)).filter((each) => each !== undefined);
  const text = last.map(
    ({ memory, files, wal, database, log }) =>
      `${mib(memory)} memory, ${files} files, ${mib(wal)} write-ahead log, ${mib(database)} database, ${mib(log)} log`,
  );
  tally.notes.push(`${pair.writes} writes; ${text.join(' | ')}; ${slopeText(sizes)}`);
}

/** One interval of ordinary use. */
async function use(pair: Pair): Promise<void> {
  const end = performance.now() + INTERVAL_MS;
  const working = pair.nodes.map((node) => work(pair, node, pair.random.fork(), end));
  if (pair.random.chance(ABSENCE_CHANCE)) {
    const node = pair.random.pick(pair.nodes);
    await node.setNetworkPaused(true);
    await pause(pair.random.integer(...ABSENCE_MS));
    await node.setNetworkPaused(false);
  }
  await Promise.all(working);
}

async function work(pair: Pair, node: NodeProcess, random: SeededRandom, end: number): Promise<void> {
  const documents = node.collection('soak');
  while (performance.now() < end) {
    const key = `k${random.integer(1, KEYS)}`;
    if (random.chance(0.1)) await documents.delete(key);
    else if (random.chance(0.2)) await documents.get(key);
    else await documents.put(key, { n: ++pair.writes, pad: PAD });
    await pause(random.integer(...WRITE_MS));
  }
}

function judge(sizes: readonly Size[]): string[] {
  const now = sizes.at(-1)!;
  const problems: string[] = [];
  if (now.wal > WAL_BYTES_MAX) problems.push(`${mib(now.wal)} of write-ahead log`);
  if (now.log > LOG_BYTES_MAX) problems.push(`${mib(now.log)} of log files`);
  if (now.database > DATABASE_BYTES_MAX) problems.push(`${mib(now.database)} of database`);
  if (now.files > sizes[0]!.files + FILES_GROWTH_MAX)
    problems.push(`${now.files} open files, first ${sizes[0]!.files}`);
  return problems;
}

/** Checked once, at the end: the slope over a few minutes says little. */
function isGrowing(sizes: readonly Size[]): boolean {
  const slope = memorySlope(sizes);
  return slope !== undefined && slope > MEMORY_GROWTH_BYTES_PER_MINUTE_MAX;
}

/** Bytes per minute by least squares; undefined while there are too few measurements. */
function memorySlope(sizes: readonly Size[]): number | undefined {
  const warm = sizes.slice(Math.max(WARM_CASES, Math.floor(sizes.length / 3)));
  if (warm.length < 2 * WARM_CASES) return undefined;
  const meanX = mean(warm.map(({ atMs }) => atMs));
  const meanY = mean(warm.map(({ memory }) => memory));
  const above = warm.reduce((sum, { atMs, memory }) => sum + (atMs - meanX) * (memory - meanY), 0);
  const below = warm.reduce((sum, { atMs }) => sum + (atMs - meanX) ** 2, 0);
  return (above / below) * 60_000;
}

function slopeText(all: readonly (readonly Size[])[]): string {
  const slopes = all.map(memorySlope);
  if (slopes.some((slope) => slope === undefined)) return 'too short to tell whether memory grows';
  return `memory grows by ${slopes.map((slope) => mib(slope ?? 0)).join(' and ')} a minute`;
}

function sizeOf({ pid, folder }: NodeProcess): Size {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    atMs: performance.now(),
    memory: Number(kib) * 1024,
    files: readdirSync(`/proc/${pid}/fd`).length,
    wal: bytesOf(join(folder, 'entgldb.db-wal')),
    database: bytesOf(join(folder, 'entgldb.db')),
    log: readdirSync(join(folder, 'log')).reduce((sum, name) => sum + bytesOf(join(folder, 'log', name)), 0),
  };
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
