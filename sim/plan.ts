import { LIMITS, type Limits } from '../src/core/config/index.ts';
import { BLOBS_COLLECTION, type CollectionName, type DocumentKey } from '../src/core/ids/index.ts';
import { lww, merge, type Resolver } from '../src/core/merge/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { type Campaign, drawFaults, type FaultMix } from './faults.ts';
import type { NetworkFaults } from './network.ts';
import { SMALL_LIMITS, SPLIT_LIMITS } from './small-limits.ts';

/** The kind of world that a seed makes. Drawn once at its beginning, so that seeds differ in kind and not only in order. */
export interface Plan {
  readonly campaign: Campaign;
  readonly faults: FaultMix;
  /** Number of nodes at the beginning. */
  readonly nodes: number;
  readonly collections: readonly CollectionName[];
  readonly keys: readonly DocumentKey[];
  readonly resolver: Resolver;
  readonly limits: Limits;
  /** Tombstones younger than this are not purged, ms. */
  readonly retentionMs: number;
  readonly deleteChance: number;
  /** Probability per event that two nodes without a connection make one. */
  readonly dialChance: number;
  readonly network: NetworkFaults;
  /** Running nodes are copied (R9), so that a dot may name two writes. */
  readonly hasTwins: boolean;
  /** Messages travel as encoded bytes instead of objects. */
  readonly isWire: boolean;
  /** Some nodes want only some of the collections. */
  readonly isChoosy: boolean;
}

const RETENTIONS_MS: readonly number[] = [50, 500, 3_000];
/** Tombstones are purged only when none is still on its way, so that a transaction with a delete stays whole. */
const CALM_RETENTION_MS = 20_000;
export const RESOLVERS: readonly Resolver[] = [lww, merge];
/** A world that may have more nodes than this starts with the maximum. */
const FEW_NODES = 8;

/** Weight of `clone` in every other seed of `wear` and `programs`: running nodes are copied now and then, among all the other disk faults. */
const WORN_CLONES = 2;

/** Every tenth seed has this many times as many documents: enough for live sets to be compared in several ranges. */
const MANY_DOCUMENTS_FACTOR = 25;

export function drawPlan(
  random: SeededRandom,
  { seed, campaign, nodesMax }: { readonly seed: number; readonly campaign: Campaign; readonly nodesMax: number },
): Plan {
  const { integer, chance, pick } = random;
  const isCalm = campaign === 'calm';
  const isWorn = campaign === 'wear' || campaign === 'programs';
  const drawn = drawFaults(random, campaign);
  const faults = isWorn && seed % 2 === 0 ? { ...drawn, clone: WORN_CLONES } : drawn;
  const collections = ['stock', 'sales', 'staff'].slice(0, integer(1, 3)) as CollectionName[];
  const keys = Array.from(
    { length: integer(1, 12) * (seed % 10 === 9 ? MANY_DOCUMENTS_FACTOR : 1) },
    (_, i) => `k${i}` as DocumentKey,
  );
  const isSmall = chance(0.5);
  if (isWorn && chance(0.5)) collections.push(BLOBS_COLLECTION);
  return {
    campaign,
    faults,
    hasTwins: faults.clone > 0,
    collections,
    keys,
    nodes: nodesMax > FEW_NODES ? nodesMax : integer(Math.min(2, nodesMax), nodesMax),
    resolver: pick(RESOLVERS),
    limits: isSmall ? (isCalm ? SPLIT_LIMITS : SMALL_LIMITS) : LIMITS,
    retentionMs: isCalm ? CALM_RETENTION_MS : pick(RETENTIONS_MS),
    deleteChance: pick([0.2, 0.4, 0.7]),
    dialChance: pick([0.05, 0.3]),
    network: {
      delayMs: pick([1, 5, 50, 400]),
      cutChance: isCalm || chance(0.5) ? 0 : random.next() * 0.02,
    },
    isWire: chance(0.1),
    isChoosy: (campaign === 'chaos' || isWorn) && collections.length > 1 && chance(0.3),
  };
}
