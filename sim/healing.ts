import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Resolver } from '../src/core/merge/index.ts';
import type { Disks } from './disks.ts';
import { SIM_TIMES } from './node.ts';
import { isRefusal } from './refusal.ts';
import { disagreements, type Scene } from './scene.ts';

export interface HealingDeps {
  readonly scene: Scene;
  readonly disks: Disks;
  /** The resolver that every node has in the end. */
  readonly resolver: Resolver;
  readonly report: (problem: string) => void;
  /** Whether nodes may still differ in this document (R9). */
  readonly admitsDivergence: (collection: CollectionName, key: DocumentKey) => boolean;
}

const HEAL_MS_MAX = 60_000;
const QUIET_MS = 10_000;
const PURGED_AT_ONCE = 1000;
const YEARS_MS = 20 * 365 * 86_400_000;
/** One round for what moves, one in which nothing moves, and one that lists the collections. */
const ROUNDS_AFTER = 4;

/** Ends all faults, after which the nodes must soon agree. Returns how long that took, in virtual ms. */
export async function heal(deps: HealingDeps): Promise<number> {
  const { cluster, collections } = deps.scene;
  const begun = cluster.clock.monotonic();
  cluster.network.heal();
  cluster.network.faults = { delayMs: 2, cutChance: 0 };
  for (const node of cluster.nodes) {
    node.store.failCommits(0);
    node.store.failFlushes(0);
    if (!node.isUp) deps.disks.start(node);
    deps.disks.scrub(node);
    node.setResolver(deps.resolver);
  }
  await converge(deps, 'with the wants as they were');
  const healMs = cluster.clock.monotonic() - begun;
  for (const node of cluster.nodes)
    for (const collection of collections)
      if (node.mayWant(collection) && !node.wants(collection)) node.setWanted(collection, true);
  await converge(deps, 'with all wanted again');
  return healMs;
}

async function converge({ scene, report, admitsDivergence }: HealingDeps, when: string): Promise<void> {
  const { cluster } = scene;
  const deadline = cluster.clock.monotonic() + HEAL_MS_MAX;
  for (let agreed = 0; cluster.clock.monotonic() < deadline; ) {
    cluster.dial(1);
    await cluster.advance(1000);
    agreed = disagreements(scene).length === 0 ? agreed + 1 : 0;
    if (agreed === 2) return;
  }
  const left = disagreements(scene).filter(({ collection, key }) => !admitsDivergence(collection, key));
  if (left.length > 0)
    report(`diverged ${HEAL_MS_MAX / 1000} s after healing, ${when}: ${left.map(({ what }) => what)}`);
}

/** Checks that nodes that agree send little more than pings, and go on completing rounds: no storm, no endless echo, no surplus of links. */
export async function stayQuiet({ scene, report }: HealingDeps): Promise<void> {
  const { cluster } = scene;
  for (let ms = 0; ms < SIM_TIMES.peerSilenceMsMax + SIM_TIMES.syncIntervalMs; ms += 1000) {
    cluster.dial(1);
    await cluster.advance(1000);
  }
  const { frames } = cluster.network;
  await cluster.advance(QUIET_MS);
  const rounds = Math.ceil(QUIET_MS / SIM_TIMES.syncIntervalMs) + 1;
  const pings = Math.ceil(QUIET_MS / SIM_TIMES.pingIntervalMs) + 1;
  const framesMax = cluster.linkCount * (rounds * 4 + pings * 4);
  const sent = cluster.network.frames - frames;
  if (sent > framesMax) report(`storm: ${sent} frames in ${QUIET_MS / 1000} s of rest, at most ${framesMax} are due`);
  for (const node of cluster.nodes)
    for (const session of node.isUp ? node.host.sessions() : []) {
      const lagMs = node.rounds.lagMs(session);
      if (lagMs > QUIET_MS)
        report(`lag: ${node.key} completed no round with ${session.channel.peerKey} for ${lagMs} ms of rest`);
    }
  const { count, max } = cluster.linkedPairs();
  if (count > max) report(`crowd: ${count} links between ${cluster.nodes.length} nodes, at most ${max} are due`);
}

/** Purges all tombstones, also those of a clock that was years ahead, and waits until nodes have compared what is left. */
export async function forgetDeletions({ cluster }: Scene): Promise<void> {
  for (const { replica } of cluster.nodes)
    try {
      while (replica.purge(-YEARS_MS, PURGED_AT_ONCE).purged > 0);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  cluster.dial(1);
  await cluster.advance(ROUNDS_AFTER * SIM_TIMES.syncIntervalMs);
}
