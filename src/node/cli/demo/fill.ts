import { areEqual, type Cluster, documentsOf, waitUntil } from './cluster.ts';
import type { PlaceSet } from './places.ts';
import type { Bars } from './screen.ts';

/** Documents per request. */
const CHUNK_DOCUMENTS = 5000;
/** How often the bars move. */
const POLL_MS = 100;
export const PLACES = 'places';

export interface FillReport {
  readonly documents: number;
  /** Until the first node had all documents safely on disk. */
  readonly writeSeconds: number;
  readonly writtenPerSecond: number;
  /** From the first document written until all nodes had all documents. */
  readonly syncSeconds: number;
  readonly syncedPerSecond: number;
  /** Bytes sent by all nodes together, encrypted and with all overhead, per document that reached another node. */
  readonly wireBytesPerDocument: number;
  /** Bytes of such a document as JSON text. */
  readonly jsonBytesPerDocument: number;
}

/** Writes all places into the first node and waits until the others have them. */
export async function fill(cluster: Cluster, { places }: PlaceSet, bars: Bars): Promise<FillReport> {
  const { nodes, clock } = cluster;
  const bytesBefore = await bytesSent(cluster);
  const startMs = clock.monotonic();
  const secondsSince = (): number => (clock.monotonic() - startMs) / 1000;
  const writing = write(cluster, places).then(secondsSince);
  const reading = waitUntil(
    cluster,
    (statuses) => {
      const counts = statuses.map(documentsOf);
      bars.update(counts);
      return counts.every((count) => count === places.length) && areEqual(statuses);
    },
    POLL_MS,
  ).then(secondsSince);
  const [writeSeconds, syncSeconds] = await Promise.all([writing, reading]);
  const documents = places.length;
  const copies = documents * (nodes.length - 1);
  return {
    documents,
    writeSeconds,
    writtenPerSecond: documents / writeSeconds,
    syncSeconds,
    syncedPerSecond: documents / syncSeconds,
    wireBytesPerDocument: ((await bytesSent(cluster)) - bytesBefore) / copies,
    jsonBytesPerDocument: Buffer.byteLength(JSON.stringify(places)) / documents,
  };
}

async function write({ nodes: [office], signal }: Cluster, places: PlaceSet['places']): Promise<void> {
  const collection = office.collection(PLACES);
  for (let from = 0; from < places.length; from += CHUNK_DOCUMENTS) {
    signal.throwIfAborted();
    await collection.putMany(places.slice(from, from + CHUNK_DOCUMENTS));
  }
}

/** Sums over present connections, so none may have ended between two calls. */
async function bytesSent({ nodes }: Cluster): Promise<number> {
  const peers = await Promise.all(nodes.map((node) => node.peers()));
  return peers.flat().reduce((sum, peer) => sum + peer.bytesSent, 0);
}
