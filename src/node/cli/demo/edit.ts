import { sleep } from '../../../core/clock/index.ts';
import { type ChangeStream, followChanges } from './change-stream.ts';
import type { Cluster } from './cluster.ts';
import type { DemoNode } from './demo-node.ts';
import { PLACES } from './fill.ts';
import type { PlaceSet } from './places.ts';

/** Pause before each change: a brisk pace for people, but slow enough that the time of a single change is measured. */
const PAUSE_MS = 20;

export interface EditReport {
  readonly edits: number;
  readonly seconds: number;
  /**
   * From sending a write over HTTP to one node until the change stream of another delivers it; it is then safe on both disks.
   * Includes the time of HTTP, and the fact that three nodes, their clients and this measurement share one machine.
   */
  readonly visibleMs: { readonly p50: number; readonly p99: number; readonly max: number; readonly samples: number };
}

interface Edit {
  readonly writer: DemoNode;
  readonly sentAt: number;
  readonly seenBy: Set<DemoNode>;
}

/** Edits on all nodes simultaneously, each node its own places one after another; measures when the others see each edit. */
export async function editEverywhere(
  cluster: Cluster,
  { places }: PlaceSet,
  editsPerNode: number,
): Promise<EditReport> {
  const { nodes, clock } = cluster;
  const edits = new Map<string, Edit>();
  const visibleMs: number[] = [];
  const seenByAll = Promise.withResolvers<void>();
  const samplesExpected = nodes.length * editsPerNode * (nodes.length - 1);
  const saw = (node: DemoNode, key: string): void => {
    const edit = edits.get(key);
    if (edit === undefined || edit.writer === node || edit.seenBy.has(node)) return;
    edit.seenBy.add(node);
    visibleMs.push(clock.monotonic() - edit.sentAt);
    if (visibleMs.length === samplesExpected) seenByAll.resolve();
  };
  const streams = await Promise.all(nodes.map((node) => followChanges(node.client, PLACES, (key) => saw(node, key))));
  const startMs = clock.monotonic();
  const work = nodes.map((writer, n) =>
    edit(cluster, writer, places.slice(n * editsPerNode, (n + 1) * editsPerNode), (key) => {
      edits.set(key, { writer, sentAt: clock.monotonic(), seenBy: new Set() });
    }),
  );
  await untilDone([...work, seenByAll.promise], streams);
  const seconds = (clock.monotonic() - startMs) / 1000;
  return { edits: nodes.length * editsPerNode, seconds, visibleMs: summarize(visibleMs) };
}

async function edit(
  { clock, signal }: Cluster,
  writer: DemoNode,
  places: PlaceSet['places'],
  onSend: (key: string) => void,
): Promise<void> {
  const collection = writer.collection(PLACES);
  for (const [key, place] of places) {
    await sleep(clock, PAUSE_MS, signal);
    onSend(key);
    await collection.put(key, { ...place, visitedBy: writer.name });
  }
}

/** Waits for the work, or rejects if a stream breaks; closes all streams in the end. */
async function untilDone(work: readonly Promise<void>[], streams: readonly ChangeStream[]): Promise<void> {
  try {
    await Promise.race([Promise.all(work), Promise.all(streams.map(({ ended }) => ended))]);
  } finally {
    for (const stream of streams) stream.close();
  }
}

function summarize(times: readonly number[]): EditReport['visibleMs'] {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1), samples: sorted.length };
}
