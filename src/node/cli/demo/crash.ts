import { sleep } from '../../../core/clock/index.ts';
import { areEqual, type Cluster, isMeshed, waitUntil } from './cluster.ts';
import type { DemoNode } from './demo-node.ts';
import type { Screen } from './screen.ts';

const SALES = 'sales';
const KEY_PREFIX = 'till-';
/** How many cashiers sell at the same time. */
const LANES = 4;
const SELLING_MS = 1000;
/** How many documents are written elsewhere while the node is dead. */
const MISSED = 200;

export interface CrashReport {
  /** Writes that the node had confirmed when it was killed. */
  readonly acknowledged: number;
  /** How many of these are missing after the restart. Must be 0. */
  readonly lost: number;
  /** Writes that had reached the disk but were not confirmed when the node was killed. */
  readonly unconfirmed: number;
  readonly missed: number;
  /** From its restart until all nodes are equal. */
  readonly catchUpMs: number;
}

/** Kills the first till while it sells, brings it back, and counts. */
export async function crash(cluster: Cluster, screen: Screen): Promise<CrashReport> {
  const { clock, signal } = cluster;
  const [office, till] = cluster.nodes;
  const acknowledged: string[] = [];
  const selling = Array.from({ length: LANES }, (_, lane) => sell(till, lane, acknowledged));
  // On a machine that stood still there may be no sale yet, and then the crash would prove nothing.
  do await sleep(clock, SELLING_MS, signal);
  while (acknowledged.length === 0);
  await till.kill();
  await Promise.all(selling);
  screen.say(`${till.name} is killed (kill -9) while it sells: ${acknowledged.length} sales were confirmed.`);
  await office.collection(SALES).putMany(Array.from({ length: MISSED }, (_, i) => [`office-${i}`, { total: i }]));

  const startMs = clock.monotonic();
  await till.start();
  const present = await keysOf(till);
  const confirmed = acknowledged.filter((key) => present.has(key)).length;
  await waitUntil(cluster, (statuses) => areEqual(statuses) && isMeshed(statuses));
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.length - confirmed,
    unconfirmed: [...present].filter((key) => key.startsWith(KEY_PREFIX)).length - confirmed,
    missed: MISSED,
    catchUpMs: clock.monotonic() - startMs,
  };
}

/** Makes one sale after another until the till is dead. */
async function sell(till: DemoNode, lane: number, acknowledged: string[]): Promise<void> {
  const sales = till.collection(SALES);
  for (let n = 0; ; n++) {
    const key = `${KEY_PREFIX}${lane}-${n}`;
    try {
      await sales.put(key, { article: `A-${n % 500}`, total: n });
    } catch (error) {
      if (till.isRunning) throw error;
      // Killed. This write was not confirmed, so, as with every database, it may or may not be on disk.
      return;
    }
    acknowledged.push(key);
  }
}

async function keysOf(till: DemoNode): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  for await (const [key] of till.collection(SALES).entries()) present.add(key);
  return present;
}
