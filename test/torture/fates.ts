/**
 * Goal: whatever happens to three real nodes in any order, no acknowledged write is lost as long as one disk that had it is
 * left, no replaced or deleted version comes back, and all are equal in the end and say so. Method: processes of `entgldb
 * start` that find each other by discovery. Each has a writer, and a ledger here knows who had seen what. Meanwhile nodes are
 * killed, stopped, frozen, cut off, restored from backups, copied, wiped and damaged, and clocks are set.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { type Scope, withScope } from '../integration/cleanup.ts';
import { freeUdpPort, writeToken } from '../integration/node-process.ts';
import { FateNode } from './fate-node.ts';
import { withScratch } from './scratch.ts';
import { type Suite, type SuiteOptions, type SuiteResult, Tally } from './suite.ts';
import { timeUntil } from './time-until.ts';
import { WriteTruth } from './write-truth.ts';

const NAMES = ['office', 'till', 'kiosk'];
const EVENTS = [6, 12] as const;
const BETWEEN_MS = [50, 1500] as const;
const FROZEN_MS = [200, 7000] as const;
const CUT_OFF_MS = [100, 3000] as const;
const HOUR_MS = 3600_000;
const CLOCKS_MS = [0, HOUR_MS, -HOUR_MS, 72 * HOUR_MS, -72 * HOUR_MS, 10 * 365 * 24 * HOUR_MS];
const EQUAL_MS_MAX = 120_000;

export const fates: Suite = {
  name: 'fates',
  about: 'three real nodes meet kills, restored backups, copies, wipes, rot and wrong clocks in any order',
  counts: { ci: 1, full: 200 },
  run,
};

interface World {
  readonly nodes: readonly FateNode[];
  readonly truth: WriteTruth;
  readonly random: SeededRandom;
  readonly told: string[];
  /** The first write after all were equal last, and the node that has lost its disk, or a part of it, since. */
  settled: number;
  bereft: FateNode | undefined;
}

async function run({ count, seed, deadline, signal }: SuiteOptions): Promise<SuiteResult> {
  const tally = new Tally();
  let [acknowledged, excused] = [0, 0];
  for (let i = 0; i < count && performance.now() < deadline && !signal?.aborted; i++) {
    const truth = new WriteTruth();
    const told: string[] = [];
    const caseSeed = seed * 1009 + i;
    const problems = await withScratch((folder) =>
      withScope((scope) => runCase(scope, folder, { truth, told, random: createSeededRandom(caseSeed) })),
    ).catch((error: unknown) => [(error as Error).stack ?? String(error)]);
    [acknowledged, excused] = [acknowledged + truth.acknowledged, excused + truth.excused];
    if (problems.length === 0) tally.add('kept');
    else tally.fail(`case ${i} of seed ${seed} (${told.join(', ')})`, problems);
  }
  tally.notes.push(`${acknowledged} acknowledged writes, ${excused} of which only a lost disk had`);
  return tally.result();
}

async function runCase(
  scope: Scope,
  folder: string,
  { truth, told, random }: Pick<World, 'truth' | 'told' | 'random'>,
): Promise<string[]> {
  const given = { scope, folder, truth, udpPort: await freeUdpPort(), tokenFile: await writeToken(folder) };
  const nodes = NAMES.map((name) => new FateNode(name, given));
  const world: World = { nodes, truth, random, told, settled: 0, bereft: undefined };
  await Promise.all(nodes.map((node) => node.start()));
  for (let events = random.integer(...EVENTS); events > 0; events--) {
    const node = random.pick(nodes);
    const fate = random.pick(FATES);
    await whileAllWrite(world, () => pause(random.integer(...BETWEEN_MS)));
    told.push(`${fate.name} ${node.name}`);
    await fate(world, node);
  }
  return judge(world);
}

type Fate = (world: World, node: FateNode) => Promise<void>;

const FATES: readonly Fate[] = [
  kill,
  stop,
  freeze,
  cutOff,
  backup,
  killInBackup,
  restore,
  copyBack,
  copy,
  wipe,
  rot,
  setClock,
  maintain,
];

async function kill(world: World, node: FateNode): Promise<void> {
  await whileAllWrite(world, () => node.kill());
  await node.start();
}

async function stop(world: World, node: FateNode): Promise<void> {
  const code = await whileAllWrite(world, () => node.stop());
  if (code !== 0) throw new Error(`${node.name} ended with ${code}`);
  await node.start();
}

async function freeze(world: World, node: FateNode): Promise<void> {
  await whileAllWrite(world, async () => {
    node.node.signal('SIGSTOP');
    await pause(world.random.integer(...FROZEN_MS));
    node.node.signal('SIGCONT');
  });
}

async function cutOff(world: World, node: FateNode): Promise<void> {
  await node.node.setNetworkPaused(true);
  await whileAllWrite(world, () => pause(world.random.integer(...CUT_OFF_MS)));
  await node.node.setNetworkPaused(false);
}

async function backup(world: World, node: FateNode): Promise<void> {
  await whileAllWrite(world, () => node.backup());
}

async function killInBackup(world: World, node: FateNode): Promise<void> {
  await whileAllWrite(world, async () => {
    const backing = node.backup().catch(() => {
      // The node was killed.
    });
    await pause(world.random.integer(0, 60));
    await node.kill();
    await backing;
  });
  await node.start();
}

async function restore(world: World, node: FateNode): Promise<void> {
  await goBack(world, node, (name) => node.restore(name));
}

async function copyBack(world: World, node: FateNode): Promise<void> {
  await goBack(world, node, async (name) => node.copyBack(name));
}

async function goBack(world: World, node: FateNode, replace: (backup: string) => Promise<void>): Promise<void> {
  if (node.backups.length === 0) return backup(world, node);
  await bereave(world, node);
  await replace(world.random.pick(node.backups));
  await node.start();
}

async function wipe(world: World, node: FateNode): Promise<void> {
  await bereave(world, node);
  node.wipe();
  await node.start();
}

async function rot(world: World, node: FateNode): Promise<void> {
  await bereave(world, node);
  node.rot(world.random);
  await node.start().catch(() => {
    // It says that the file cannot be read; somebody replaces the disk.
    node.wipe();
    return node.start();
  });
}

async function copy(_world: World, node: FateNode): Promise<void> {
  await node.kill();
  node.moveToCopy();
  await node.start();
}

async function setClock(world: World, node: FateNode): Promise<void> {
  node.setClock(world.random.pick(CLOCKS_MS));
}

async function maintain(world: World, node: FateNode): Promise<void> {
  await whileAllWrite(world, () => node.maintain(world.random.pick(['compact', 'check'])));
}

/** Ends a node whose disk is about to lose something, and excuses what only this disk had. */
async function bereave(world: World, node: FateNode): Promise<void> {
  if (world.bereft !== undefined && world.bereft !== node) await settle(world);
  const isCutOff = world.random.chance(0.3);
  if (isCutOff) await node.node.setNetworkPaused(true);
  await whileAllWrite(world, () => pause(world.random.integer(...BETWEEN_MS)));
  const isConfirmed = await (isCutOff ? node.isConfirmed() : node.awaitConfirmed());
  await node.noteConflicts();
  await node.kill();
  world.bereft = node;
  if (isConfirmed === false) world.truth.excuse(node.name, world.settled);
}

/** All are equal: what they were told is on every disk. Deletions do not count, which each forgets by its own clock. */
async function settle(world: World): Promise<void> {
  const ms = await timeUntil(() => areEqual(world), EQUAL_MS_MAX);
  if (ms === undefined) throw new Error(`not equal within ${EQUAL_MS_MAX} ms: ${await describe(world)}`);
  world.settled = world.truth.next;
  world.bereft = undefined;
}

async function areEqual({ nodes }: World): Promise<boolean> {
  for (const node of nodes) {
    const verdicts = await node.verdicts();
    if (verdicts.size < nodes.length - 1) return false;
    if ([...verdicts.values()].flat().some((verdict) => verdict !== 'equal')) return false;
  }
  return true;
}

async function describe({ nodes }: World): Promise<string> {
  const texts = await Promise.all(
    nodes.map(async ({ name, node }) => {
      const { collections, connectedPeers } = await node.status();
      return `${name} with ${connectedPeers} links ${collections.map(({ documents, fingerprint }) => `${documents} ${fingerprint}`).join()}`;
    }),
  );
  return texts.join('; ');
}

/** All nodes write while something happens. */
async function whileAllWrite<T>({ nodes, random }: World, happen: () => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const writing = nodes.map((node) => node.write(random.fork(), stopping.signal));
  const happened = await happen().finally(() => stopping.abort());
  await Promise.all(writing);
  return happened;
}

async function judge(world: World): Promise<string[]> {
  await settle(world);
  const { nodes, truth } = world;
  for (const node of nodes) await node.noteConflicts();
  const problems: string[] = [];
  for (const node of nodes) {
    problems.push(...truth.judge(node.name, await node.documents()));
    await node.awaitConfirmed();
  }
  return problems;
}
