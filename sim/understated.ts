import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { isSameDot, knows, replaces, type Version } from '../src/core/version/index.ts';
import type { PendingWrites } from '../src/resilience/receipts/index.ts';
import { versionsOf } from './holdings.ts';
import type { SimNode } from './node.ts';
import { type Scene, unreadableKeys } from './scene.ts';

/** A node that nobody has met, so it holds nothing. */
const NOBODY = 'nobody';

/** What the node says too little of: its writes that the peer lacks, or that all other nodes lack. */
export function understated(node: SimNode, peer: SimNode, scene: Scene): string[] {
  const { collections, keys } = scene;
  if (collections.some((name) => unreadableKeys(node, name, keys).length > 0)) return [];
  return [...understatedPending(node, peer, scene), ...understatedUnsynced(node, scene)];
}

/**
 * Documents with writes of the node that a peer lacks, and the node does not count among those that the peer is not known to
 * hold. A peer in another life than the node has met counts as before, and so does a row of the peer that rots unnoticed.
 */
function understatedPending(node: SimNode, peer: SimNode, { collections, keys }: Scene): string[] {
  if (!isAsMet(node, peer)) return [];
  const pending = countsOf(node.receipts.pendingFor(peer.key));
  return collections.flatMap((collection) => {
    const lacking = lackedBy([peer], node, collection, keys);
    const said = pending.get(collection) ?? 0;
    if (lacking <= said) return [];
    return [`${node.key} says that ${peer.key} lacks ${said} of its writes in ${collection}, and it lacks ${lacking}`];
  });
}

/** The same for all other nodes. Each whose word counts must be there, in the life that the node has met. */
function understatedUnsynced(node: SimNode, { cluster, collections, keys }: Scene): string[] {
  const others = cluster.nodes.filter((other) => other !== node);
  const all = countsOf(node.receipts.pendingFor(NOBODY));
  const unsynced = countsOf(node.receipts.unsynced());
  const absent = cluster.namesEver
    .filter((name) => !others.some((other) => other.key === name && isAsMet(node, other)))
    .map((name) => countsOf(node.receipts.pendingFor(name)));
  return collections.flatMap((collection) => {
    const hasWord = (pending: ReadonlyMap<string, number>): boolean => pending.get(collection) !== all.get(collection);
    const lacking = lackedBy(others, node, collection, keys);
    const said = unsynced.get(collection) ?? 0;
    if (lacking <= said || absent.some(hasWord)) return [];
    return [`${node.key} says that ${said} of its writes in ${collection} are unsynced, and ${lacking} are`];
  });
}

/** Whether the peer is in the life that the node has met. */
function isAsMet({ receipts }: SimNode, peer: SimNode): boolean {
  return receipts.nodeOf(peer.replica.id) === peer.key;
}

/** Documents with writes of the node that none of these peers holds, and that can be read there. */
function lackedBy(
  peers: readonly SimNode[],
  { replica }: SimNode,
  collection: CollectionName,
  keys: readonly DocumentKey[],
): number {
  const ownIds = new Set(replica.ownIds());
  const rotten = new Set(peers.flatMap((peer) => unreadableKeys(peer, collection, keys)));
  const isLackedBy = (peer: SimNode, key: DocumentKey, version: Version): boolean =>
    !knows(peer.replica.collection(collection).knowledge, version.replica, version.seq) &&
    !versionsOf(peer.replica, collection, key).some((held) => isSameDot(held, version) || replaces(held, version));
  const isLacked = (key: DocumentKey, version: Version): boolean =>
    ownIds.has(version.replica) && peers.every((peer) => isLackedBy(peer, key, version));
  return keys.filter(
    (key) => !rotten.has(key) && versionsOf(replica, collection, key).some((version) => isLacked(key, version)),
  ).length;
}

function countsOf(writes: readonly PendingWrites[]): ReadonlyMap<string, number> {
  return new Map(writes.map(({ collection, writes: count }) => [collection, count]));
}
