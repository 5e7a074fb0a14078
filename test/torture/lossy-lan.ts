/**
 * Nodes on a bad network: links that come and go, links that carry one way only, a bridge between two halves, halves that do
 * not see each other. Loss and delay remain even when the links are whole again. All nodes write all the time; afterwards
 * all must hold every acknowledged write within 10 s at 5 % loss, and within 30 s at 20 % loss and 300 ms.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { GOOD_WAY, Lan, type Way, whyNoLan } from './lan.ts';
import { LanPeer } from './lan-peer.ts';
import { withScratch } from './scratch.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, skippedResult, Tally } from './suite.ts';
import { timeUntil } from './time-until.ts';

/** Counts up to this run a sample: few nodes, short troubles. */
const SAMPLE_CASES_MAX = 4;
const SIZE = { sample: 4, full: 12 } as const;
const TROUBLE_MS: Readonly<Record<'sample' | 'full', readonly [number, number]>> = {
  sample: [2500, 4000],
  full: [4000, 25_000],
};
const CHANGE_MS = [100, 800] as const;
const WRITE_MS = [5, 60] as const;
const SHARED_KEYS = 20;
const CONNECTED_MS_MAX = 30_000;
/** Factor on the time limits: a sample runs on build machines, which do other things besides. */
const PATIENCE = { sample: 3, full: 1 } as const;

interface Weather {
  readonly name: string;
  readonly way: Way;
  readonly healedMsMax: number;
}

const WEATHERS: readonly Weather[] = [
  { name: '5 % loss', way: { isOpen: true, loss: 0.05, delayMs: 1, jitterMs: 3 }, healedMsMax: 10_000 },
  { name: '20 % loss, 300 ms', way: { isOpen: true, loss: 0.2, delayMs: 140, jitterMs: 20 }, healedMsMax: 30_000 },
];

/** A kind of trouble: which ways are open while it lasts. */
interface Trouble {
  readonly name: string;
  isOpen(from: number, to: number, size: number, random: SeededRandom): boolean;
  /** Whether the open ways change while it lasts. */
  readonly isRestless: boolean;
}

const TROUBLES: readonly Trouble[] = [
  { name: 'flapping links', isRestless: true, isOpen: (_from, _to, _size, random) => random.chance(0.5) },
  { name: 'one way only', isRestless: false, isOpen: (from, to) => from < to === ((from + to) % 2 === 0) },
  {
    name: 'a bridge between halves',
    isRestless: false,
    isOpen: (from, to, size) => from === 0 || to === 0 || isInFirstHalf(from, size) === isInFirstHalf(to, size),
  },
  {
    name: 'two halves',
    isRestless: false,
    isOpen: (from, to, size) => isInFirstHalf(from, size) === isInFirstHalf(to, size),
  },
];

export const lossyLan: Suite = {
  name: 'bad network',
  about: 'links that flap, carry one way or are bridged, under loss and delay',
  counts: { ci: 2, full: 48 },
  run,
};

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const why = whyNoLan();
  if (why !== undefined) return skippedResult(why);
  const tally = new Tally();
  const random = createSeededRandom(options.seed);
  const kind = options.count <= SAMPLE_CASES_MAX ? 'sample' : 'full';
  await withScratch((folder) =>
    withPeers(folder, SIZE[kind], random, (world) => runCases(world, options, kind, tally)),
  );
  return tally.result();
}

interface World {
  readonly lan: Lan;
  readonly peers: readonly LanPeer[];
  readonly random: SeededRandom;
  /** Number of writes to keys that only one node writes. */
  written: number;
}

async function withPeers(
  folder: string,
  size: number,
  random: SeededRandom,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'a token that only these nodes know, 0123456789', { mode: 0o600 });
  const lan = await Lan.open(size, random.fork());
  const peers: LanPeer[] = [];
  try {
    for (let i = 0; i < size; i++) {
      mkdirSync(join(folder, `host-${i}`));
      peers.push(await LanPeer.start(lan, i, join(folder, `host-${i}`), tokenFile));
    }
    await work({ lan, peers, random, written: 0 });
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await lan.close();
  }
}

async function runCases(world: World, options: SuiteOptions, kind: 'sample' | 'full', tally: Tally): Promise<void> {
  const connectedMs = await timeUntil(async () => {
    const states = await Promise.all(world.peers.map((peer) => peer.state()));
    return states.every(({ connectedPeers }) => connectedPeers > 0);
  }, CONNECTED_MS_MAX);
  const slowestMs = new Map<string, number>();
  for (let i = 0; i < options.count; i++) {
    if (!mayBegin(options, tally)) break;
    const weather = WEATHERS[i % WEATHERS.length]!;
    const trouble = TROUBLES[(options.seed + Math.floor(i / WEATHERS.length)) % TROUBLES.length]!;
    const name = `${trouble.name}, ${weather.name}, case ${i} of seed ${options.seed}`;
    await makeTrouble(world, trouble, weather, world.random.integer(...TROUBLE_MS[kind]));
    const msMax = weather.healedMsMax * PATIENCE[kind];
    const ms = await timeUntil(() => isWhole(world), msMax);
    slowestMs.set(weather.name, Math.max(slowestMs.get(weather.name) ?? 0, ms ?? Number.POSITIVE_INFINITY));
    if (ms !== undefined) tally.add('kept');
    else tally.fail(name, [`not whole within ${msMax} ms`, await describe(world)]);
    world.lan.setAll(GOOD_WAY);
    if (ms === undefined) await timeUntil(() => isWhole(world), CONNECTED_MS_MAX);
  }
  const slowest = Array.from(slowestMs, ([weather, ms]) => `${weather} ${Math.round(ms)} ms`).join(', ');
  tally.notes.push(
    `${world.peers.length} nodes, connected after ${Math.round(connectedMs ?? Number.NaN)} ms, ${world.written} writes; whole again after at most: ${slowest}; ${world.lan.lost} of ${world.lan.frames} frames lost`,
  );
}

/** All nodes write while the network is in trouble. At the end all ways are open again, with the loss and delay of the weather. */
async function makeTrouble(world: World, trouble: Trouble, { way }: Weather, ms: number): Promise<void> {
  const { lan, peers, random } = world;
  const end = performance.now() + ms;
  const writing = peers.map((peer, i) => write(world, peer, i, random.fork(), end));
  do {
    for (let from = 0; from < peers.length; from++)
      for (let to = 0; to < peers.length; to++)
        lan.setWay(from, to, { ...way, isOpen: trouble.isOpen(from, to, peers.length, random) });
    await pause(trouble.isRestless ? random.integer(...CHANGE_MS) : ms);
  } while (performance.now() < end);
  await Promise.all(writing);
  lan.setAll(way);
}

async function write(world: World, peer: LanPeer, index: number, random: SeededRandom, end: number): Promise<void> {
  while (performance.now() < end) {
    await pause(random.integer(...WRITE_MS));
    const n = random.integer(0, 1_000_000);
    if (random.chance(0.2)) await peer.put(`shared-${random.integer(1, SHARED_KEYS)}`, n);
    else await peer.put(`host-${index}-${world.written++}`, n);
  }
}

async function isWhole({ peers, written }: World): Promise<boolean> {
  const states = await Promise.all(peers.map((peer) => peer.state()));
  const { fingerprint, documents } = states[0]!;
  return documents >= written && states.every((each) => each.fingerprint === fingerprint);
}

async function describe({ peers, written }: World): Promise<string> {
  const states = await Promise.all(peers.map((peer) => peer.state()));
  const each = states.map(({ documents, connectedPeers }) => `${documents} with ${connectedPeers} links`);
  return `${written} written; documents: ${each.join(', ')}`;
}

function isInFirstHalf(host: number, size: number): boolean {
  return host < size / 2;
}
