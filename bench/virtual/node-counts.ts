import { createSeededRandom } from '../../src/testing/index.ts';
import { benchDocument } from '../documents.ts';
import { intervalOf } from '../statistics.ts';
import { areEqual, virtualCluster, writeOn } from './virtual-cluster.ts';

export interface NodeCount {
  readonly nodes: number;
  readonly linksPerNode: number;
  /** Messages per node for one write until all nodes have it, not counting the hum. */
  readonly messagesPerWrite: number;
  readonly bytesPerWrite: number;
  /** Virtual ms until all nodes have a write: the median, and the slowest. */
  readonly medianMs: number;
  readonly slowestMs: number;
  /** Bytes that a node sends per virtual second while nobody writes. */
  readonly idleBytesPerSecond: number;
}

/** Mean time of a frame in a LAN, exponentially distributed, so that some are late. Processing takes no time. */
const DELAY_MS = 1;
const WRITES = 20;
const SETTLED_MS = 30_000;
const IDLE_MS = 30_000;
const CONVERGED_MS_MAX = 60_000;
/** Messages that are sent periodically whether anybody writes or not: comparisons and time checks. */
const HUM: readonly string[] = ['ping', 'pong', 'summary', 'differ'];

/** Measures single writes, one after another, on nodes of the simulator that are linked as the engine links them. */
export async function measureNodeCount(nodes: number): Promise<NodeCount> {
  let messages = 0;
  let bytes = 0;
  let hum = 0;
  const cluster = virtualCluster({
    nodes,
    delayMs: DELAY_MS,
    onSent: (_node, { kind }, size) => {
      if (HUM.includes(kind)) {
        hum += size;
      } else {
        messages++;
        bytes += size;
      }
    },
  });
  cluster.dial(1);
  writeOn(cluster.nodes[0]!, benchDocument(0));
  await cluster.advance(SETTLED_MS);
  if (!areEqual(cluster)) throw new Error(`${nodes} nodes did not become equal`);
  const linksPerNode = (2 * cluster.linkCount) / nodes;
  hum = 0;
  await cluster.advance(IDLE_MS);
  const idleBytesPerSecond = hum / nodes / (IDLE_MS / 1000);
  messages = 0;
  bytes = 0;
  const { integer } = createSeededRandom(nodes);
  const times: number[] = [];
  for (let i = 1; i <= WRITES; i++) {
    writeOn(cluster.nodes[integer(0, nodes - 1)]!, benchDocument(i));
    const start = cluster.clock.monotonic();
    do await cluster.advance(0.5);
    while (!areEqual(cluster) && cluster.clock.monotonic() - start < CONVERGED_MS_MAX);
    times.push(cluster.clock.monotonic() - start);
    await cluster.advance(1000);
  }
  const { median, high } = intervalOf(times);
  return {
    nodes,
    linksPerNode,
    messagesPerWrite: messages / WRITES / nodes,
    bytesPerWrite: bytes / WRITES / nodes,
    medianMs: median,
    slowestMs: high,
    idleBytesPerSecond,
  };
}
