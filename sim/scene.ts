import { createHash } from 'node:crypto';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { parseQuery } from '../src/core/query/index.ts';
import { isSameFingerprint } from '../src/core/version/index.ts';
import { type Cluster, shapeOf } from './cluster.ts';
import type { History } from './history.ts';
import { versionsOf } from './holdings.ts';
import type { SimNode } from './node.ts';

/** The parts of a world that its checks need. */
export interface Scene {
  readonly cluster: Cluster;
  readonly history: History;
  readonly collections: readonly CollectionName[];
  readonly keys: readonly DocumentKey[];
}

export interface Disagreement {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** What each node shows. */
  readonly what: string;
}

/** Documents that are shown differently by nodes that want them. */
export function disagreements({ cluster, collections, keys }: Scene): Disagreement[] {
  return collections.flatMap((collection) => {
    const wanting = cluster.nodes.filter((node) => node.wants(collection));
    if (new Set(wanting.map((node) => shapeOf(node, collection, keys))).size <= 1) return [];
    return keys.flatMap((key) => {
      const shapes = new Map(wanting.map((node) => [shapeOf(node, collection, [key]), node.key]));
      if (shapes.size <= 1) return [];
      return { collection, key, what: [...shapes].map(([shape, node]) => `\n  ${node} ${shape}`).join('') };
    });
  });
}

/** The writes that readers see on some node, and problems for versions that nobody wrote. */
export function visibleWrites(scene: Scene): { readonly visible: ReadonlySet<number>; readonly invented: string[] } {
  const { cluster, history, keys } = scene;
  const visible = new Set<number>();
  const invented: string[] = [];
  // A node with a copied disk may hold collections that it never wants; those stay as they were.
  for (const node of cluster.nodes)
    for (const collection of scene.collections.filter((name) => node.mayWant(name)))
      for (const key of keys)
        for (const version of versionsOf(node.replica, collection, key)) {
          const id = version.value === null ? undefined : history.idOf(version);
          if (id !== undefined) visible.add(id);
          else if (version.value !== null)
            invented.push(`invented: ${node.key} shows what nobody wrote: ${version.value}`);
        }
  return { visible, invented };
}

/** Collections whose stored fingerprint is not the sum of their versions. */
export function wrongSums({ key, replica }: SimNode): string[] {
  return [...replica.collections()]
    .filter(({ name, fingerprint }) => {
      const [counted] = replica.store.fingerprints(name, [{ after: null, upTo: null }]);
      return !isSameFingerprint(counted!, fingerprint);
    })
    .map(({ name }) => `${key} has a wrong fingerprint of ${name}`);
}

/** Collections whose stored document count is not the number of documents that readers see. */
export function wrongCounts({ key, replica }: SimNode): string[] {
  return [...replica.collections()].flatMap(({ name, documents }) => {
    const counted = replica.store.count(name, parseQuery({}));
    return counted === documents ? [] : `${key} says that ${name} has ${documents} documents, and it has ${counted}`;
  });
}

/** Documents of which a version lost to a concurrent one that readers see instead, and the conflict ledger does not list it (I3). */
export function unlistedLosers({ key: node, replica }: SimNode, { collections, keys }: Scene): string[] {
  const listed = new Set<string>();
  for (let page = replica.conflicts.after(0); page.length > 0; page = replica.conflicts.after(page.at(-1)!.id))
    for (const { collection, key, loser } of page) listed.add(`${collection}/${key} ${loser.hlc} ${loser.value}`);
  return collections.flatMap((collection) =>
    keys.flatMap((key) => {
      const { value, versions } = replica.get(collection, key) ?? { value: null, versions: [] };
      if (value === null || !versions.some((version) => version.value === value)) return [];
      return versions
        .filter(
          (version) => version.value !== value && !listed.has(`${collection}/${key} ${version.hlc} ${version.value}`),
        )
        .map((version) => `${node} does not list that ${version.value} lost in ${collection}/${key} to ${value} (I3)`);
    }),
  );
}

/**
 * Writes that a linked node holds, and is taken to lack. Those that no knowledge covers, of former lives, are confirmed only
 * between nodes that hold the same, and deletions beside concurrent writes, which each forgets in its time, can prevent that.
 */
export function missingReceipts(node: SimNode, { cluster, collections }: Scene): string[] {
  const linked = new Set([...node.host.sessions()].map(({ channel }) => channel.peerKey));
  return cluster.nodes
    .filter((other) => linked.has(other.key))
    .flatMap((other) => {
      const pending = new Map(
        node.receipts.pendingFor(other.key).map(({ collection, writes }) => [collection, writes]),
      );
      return collections
        .filter((name) => pending.has(name) && node.wants(name) && other.wants(name) && mayConfirm(node, other, name))
        .map((name) => `${node.key} waits for ever for ${other.key} to confirm ${pending.get(name)} writes in ${name}`);
    });
}

function mayConfirm({ replica }: SimNode, other: SimNode, name: CollectionName): boolean {
  const { knowledge, fingerprint } = replica.collection(name);
  if (isSameFingerprint(fingerprint, other.replica.collection(name).fingerprint)) return true;
  return replica.ownIds().every((own) => replica.store.delta(name, own, knowledge.get(own)?.seq ?? 0, 1).length === 0);
}

/** A hash over identities, positions, documents, frames and time: the same history always ends in the same hash. */
export function hashOf({ cluster, collections, keys }: Scene): string {
  const states = cluster.nodes.map((node) => {
    const { replica, seq, pos, check } = node.replica.head;
    const shapes = collections.map((collection) => shapeOf(node, collection, keys));
    return `${replica}:${seq}:${pos}:${check} ${shapes.join(' ')}`;
  });
  const text = `${states.join('\n')}|${cluster.network.frames}|${cluster.clock.monotonic()}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Keys whose rows cannot be read. */
export function unreadableKeys(node: SimNode, collection: CollectionName, keys: readonly DocumentKey[]): DocumentKey[] {
  return keys.filter((key) => {
    try {
      node.replica.get(collection, key);
      return false;
    } catch (error) {
      if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) return true;
      throw error;
    }
  });
}
