import { createHash } from 'node:crypto';
import { areEqual, type Cluster, documentsOf } from './cluster.ts';
import type { DemoNode } from './demo-node.ts';

export interface NodeProof {
  readonly nodeId: string;
  readonly documents: number;
  /** Fingerprints over all versions of all documents, by collection, as the node reports them. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** SHA-256, hex, of all documents as read from the node: independent of the engine's own sums. */
  readonly contents: string;
}

/** Reads again what each node holds. `areEqual`: the same documents, versions and contents. */
export async function prove(cluster: Cluster): Promise<{ areEqual: boolean; nodes: readonly NodeProof[] }> {
  const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
  const nodes = await Promise.all(
    cluster.nodes.map(async (node, i): Promise<NodeProof> => {
      const status = statuses[i]!;
      const collections = status.collections.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return {
        nodeId: status.nodeId,
        documents: documentsOf(status),
        fingerprints: Object.fromEntries(collections.map(({ name, fingerprint }) => [name, fingerprint])),
        contents: await hashContents(
          node,
          collections.map(({ name }) => name),
        ),
      };
    }),
  );
  return { areEqual: areEqual(statuses) && new Set(nodes.map(({ contents }) => contents)).size === 1, nodes };
}

async function hashContents(node: DemoNode, collections: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const name of collections) {
    hash.update(`${name}\n`);
    const path = `/api/v1/collections/${encodeURIComponent(name)}/export`;
    const response = await node.client.open({ method: 'GET', path, answerMsMax: Infinity });
    for await (const chunk of response) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
