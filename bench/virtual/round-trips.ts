import { createMemoryNetwork } from '../../src/testing/index.ts';
import { benchDocuments } from '../documents.ts';
import { areEqual, virtualCluster, writeOn } from './virtual-cluster.ts';

const DOCUMENTS = 100;
/** Long compared with the virtual time that disks take. */
const LATENCY_MS = 100;
const SETTLED_MS = 60_000;

/** Round trips that two nodes with equal databases need on a new connection until both have said that nothing is missing. */
export async function roundTripsUntilEqual(): Promise<number> {
  const equalAt = new Map<string, number>();
  const cluster = virtualCluster({
    nodes: 2,
    delayMs: 1,
    onSent: (node, message) => {
      const isEqual = message.kind === 'differ' && message.collections.length === 0;
      if (isEqual && !equalAt.has(node)) equalAt.set(node, cluster.clock.monotonic());
    },
  });
  const [a, b] = cluster.nodes;
  for (const document of benchDocuments(DOCUMENTS)) writeOn(a!, document);
  cluster.connect(a!, b!);
  await cluster.advance(SETTLED_MS);
  if (!areEqual(cluster)) throw new Error('the two nodes should have become equal');
  cluster.network.dropAllOf(a!.key);
  await cluster.advance(SETTLED_MS);
  equalAt.clear();

  const network = createMemoryNetwork({ clock: cluster.clock, latencyMs: LATENCY_MS });
  const accepting = network.createTransport({ deviceKey: a!.key, host: a!.key });
  const { address } = await accepting.listen({ host: a!.key, port: 0, onChannel: (channel) => a!.accept(channel) });
  const dialled = network.createTransport({ deviceKey: b!.key, host: b!.key }).dial(address);
  await cluster.advance(2 * LATENCY_MS);
  const connectedAt = cluster.clock.monotonic();
  b!.accept(await dialled);
  await cluster.advance(SETTLED_MS);
  return Math.round((Math.max(...equalAt.values()) - connectedAt) / LATENCY_MS) / 2;
}
