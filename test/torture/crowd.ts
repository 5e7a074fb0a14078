/**
 * Many real nodes in one process, on real sockets, find each other by discovery. They become equal; each keeps few links,
 * however many nodes there are; nodes that come and go leave nothing behind; and rewriting the same documents makes nothing
 * grow.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { freeUdpPort } from '../integration/node-process.ts';
import { withScratch } from './scratch.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, Tally } from './suite.ts';
import { timeUntil } from './time-until.ts';

/** Counts up to this run a sample with few nodes. */
const SAMPLE_CASES_MAX = 3;
const SIZE = { sample: 8, full: 50 } as const;
/** Up to this many nodes link each to each. */
const FULL_MESH_MAX = 9;
const KEYS = 100;
const WRITES_PER_NODE = 20;
/** Cases before memory is measured: caches fill, and code is compiled. */
const WARM_CASES = 2;
/** Links that the mesh did not choose are kept for a minute. */
const SETTLED_MS = 90_000;
/** All nodes share one core, and each hears of a write over all of its links. Fifty nodes need a minute. */
const EQUAL_MS_MAX = 600_000;
/** Every document has many losers. At its usual size, the conflict ledger would grow for ten rounds and hide everything else. */
const CONFLICTS_MAX = 500;
/** What each node remembers of its peers grows with use at first, then stays the same. */
const GROWTH_MIB_PER_NODE_MAX = 3;
const COLLECTION = 'crowd';

export const crowd: Suite = {
  name: 'crowd',
  about: 'many nodes in one process: equal, few links each, and nothing grows',
  counts: { ci: 3, full: 20 },
  run,
};

interface World {
  readonly folder: string;
  readonly udpPort: number;
  readonly tokenFile: string;
  readonly random: SeededRandom;
  readonly nodes: NodeDatabase[];
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const tally = new Tally();
  const size = options.count <= SAMPLE_CASES_MAX ? SIZE.sample : SIZE.full;
  await withScratch(async (folder) => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'a token that only these nodes know, 0123456789', { mode: 0o600 });
    const random = createSeededRandom(options.seed);
    const world: World = { folder, udpPort: await freeUdpPort(), tokenFile, random, nodes: [] };
    try {
      for (let i = 0; i < size; i++) world.nodes.push(await openOne(world, i));
      await runCases(world, options, tally);
    } finally {
      await Promise.all(world.nodes.map((node) => node.close()));
    }
  });
  return tally.result();
}

function openOne({ folder, udpPort, tokenFile }: World, index: number): Promise<NodeDatabase> {
  return openDatabase({
    dataDirectory: join(folder, `node-${index}`),
    nodeId: `node-${index}`,
    network: { authTokenFile: tokenFile, localhostOnly: true, tcpPort: 0, udpPort },
    limits: { conflictsMax: CONFLICTS_MAX },
    persistence: { durability: 'normal', enableAutoBackup: false, cacheSizeMb: 1 },
  });
}

interface Size {
  readonly mib: number;
  readonly handles: number;
}

async function runCases(world: World, options: SuiteOptions, tally: Tally): Promise<void> {
  let slowestMs = 0;
  let linksMost = 0;
  let warm: Size | undefined;
  const startedAt = performance.now();
  const isSettled = (): boolean => performance.now() - startedAt > SETTLED_MS;
  for (let i = 0; i < options.count; i++) {
    if (!mayBegin(options, tally)) break;
    if (i > 0) await changeOne(world);
    await writeEverywhere(world);
    const ms = await timeUntil(() => areEqual(world.nodes), EQUAL_MS_MAX);
    // Until all links are there, their sockets would pass for growth.
    if (world.nodes.length <= FULL_MESH_MAX) await timeUntil(() => isMeshed(world.nodes), SETTLED_MS);
    const links = Math.max(...world.nodes.map((node) => node.status().connectedPeers));
    linksMost = Math.max(linksMost, links);
    slowestMs = Math.max(slowestMs, ms ?? Number.POSITIVE_INFINITY);
    if (i + 1 === WARM_CASES) warm = sizeNow();
    const problems = [
      ...(ms === undefined ? [`not equal within ${EQUAL_MS_MAX} ms: ${describe(world.nodes)}`] : []),
      ...(isSettled() && links > linksMaxOf(world.nodes.length) ? [`${links} links at one node`] : []),
      ...(warm === undefined ? [] : growth(warm, sizeNow(), world.nodes.length)),
    ];
    if (problems.length === 0) tally.add('kept');
    else tally.fail(`case ${i} of seed ${options.seed}`, problems);
  }
  const { mib, handles } = sizeNow();
  tally.notes.push(
    `${world.nodes.length} nodes, equal after at most ${Math.round(slowestMs)} ms, at most ${linksMost} links each; ${mib} MiB (warm ${warm?.mib ?? '?'}), ${handles} open files and sockets (warm ${warm?.handles ?? '?'})`,
  );
}

/** One node leaves and comes back with what it had. */
async function changeOne(world: World): Promise<void> {
  const index = world.random.integer(0, world.nodes.length - 1);
  await world.nodes[index]!.close();
  world.nodes[index] = await openOne(world, index);
}

async function writeEverywhere({ nodes, random }: World): Promise<void> {
  const writing = nodes.flatMap((node, i) =>
    Array.from({ length: WRITES_PER_NODE }, () => {
      const key = `k${random.integer(1, KEYS)}`;
      return node.collection(COLLECTION).put(key, { by: i, n: random.integer(0, 1_000_000) });
    }),
  );
  await Promise.all(writing);
}

function areEqual(nodes: readonly NodeDatabase[]): boolean {
  const texts = nodes.map(fingerprintOf);
  return texts[0] !== '' && texts.every((text) => text === texts[0]);
}

function isMeshed(nodes: readonly NodeDatabase[]): boolean {
  return nodes.every((node) => node.status().connectedPeers === nodes.length - 1);
}

function fingerprintOf(node: NodeDatabase): string {
  return node.collections().find(({ name }) => name === COLLECTION)?.fingerprint ?? '';
}

function describe(nodes: readonly NodeDatabase[]): string {
  return nodes.map((node) => `${fingerprintOf(node)} with ${node.status().connectedPeers} links`).join(', ');
}

/** Beyond a full mesh, each chooses about log2(n) + 2 links and at worst is chosen by as many. */
function linksMaxOf(size: number): number {
  return size <= FULL_MESH_MAX ? size - 1 : Math.ceil(2 * (Math.log2(size) + 2));
}

/** The memory in use after a collection: garbage of fifty nodes can lie for minutes, and would look like growth. */
function sizeNow(): Size {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return { mib: Math.round((heapUsed + external) / 2 ** 20), handles: readdirSync('/proc/self/fd').length };
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function growth(warm: Size, now: Size, nodes: number): string[] {
  return [
    ...(now.mib - warm.mib > nodes * GROWTH_MIB_PER_NODE_MAX ? [`${now.mib} MiB, after ${warm.mib} when warm`] : []),
    // Each link has two sockets in this process.
    ...(now.handles > warm.handles * 1.2 + 10 ? [`${now.handles} open files, after ${warm.handles} when warm`] : []),
  ];
}
