import { Cluster } from '../../sim/cluster.ts';
import type { SimNode } from '../../sim/node.ts';
import { LIMITS } from '../../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../src/core/ids/index.ts';
import { lww } from '../../src/core/merge/index.ts';
import type { Message } from '../../src/net/messages/index.ts';
import { createSessionCodec, type SessionCodec } from '../../src/sync/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { type BenchDocument, COLLECTION } from '../documents.ts';

export interface VirtualOptions {
  readonly nodes: number;
  /** Mean time of a frame between two nodes, virtual ms. */
  readonly delayMs: number;
  readonly onSent?: (node: string, message: Message, bytes: number) => void;
}

/** Nodes of the simulator, which run the real engine on a virtual network and virtual disks, in a world without faults. */
export function virtualCluster({ nodes, delayMs, onSent = () => {} }: VirtualOptions): Cluster {
  const cluster = new Cluster(createSeededRandom(1), { delayMs, cutChance: 0 });
  for (let i = 0; i < nodes; i++)
    cluster
      .addNode({
        resolver: lww,
        collections: null,
        limits: LIMITS,
        createCodec: (key) => watchedCodec((message, bytes) => onSent(key, message, bytes)),
        diskDelayMs: () => 1,
        watch: { onNewLife: refuse, onCommit: () => {}, onReceipt: () => {}, onReload: refuse },
      })
      .start();
  return cluster;
}

export function writeOn(node: SimNode, { key, text }: BenchDocument): void {
  node.replica.write([
    { writes: [{ collection: COLLECTION as CollectionName, key: key as DocumentKey, value: text }] },
  ]);
}

/** Whether all nodes hold the same documents. */
export function areEqual(cluster: Cluster): boolean {
  const shapes = cluster.nodes.map(({ replica }) => {
    const { count, lanes } = replica.collection(COLLECTION as CollectionName).fingerprint;
    return `${count} ${lanes.join()}`;
  });
  return new Set(shapes).size === 1;
}

function watchedCodec(onSent: (message: Message, bytes: number) => void): SessionCodec {
  const codec = createSessionCodec();
  return {
    encode: (message) => {
      const frame = codec.encode(message);
      onSent(message, frame.length);
      return frame;
    },
    decode: (frame) => codec.decode(frame),
  };
}

function refuse(): never {
  throw new Error('something went wrong in a world without faults');
}
