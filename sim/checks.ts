import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { contextCovers, isSameDot, knows, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import { type History, nameOf, type TrueWrite, versionsOf } from './history.ts';

/**
 * I4: of every write that knowledge covers, the replica holds the version, or one that truly replaced it, or the purge
 * line covers the tombstone in which its history ended. Undefined when all is well.
 */
export function unsoundKnowledge(replica: Replica, collection: CollectionName, history: History): string | undefined {
  const { knowledge, purged } = replica.collection(collection);
  const held = new Set<number>();
  const accounted = new Map<number, boolean>();
  const isAccounted = (write: TrueWrite): boolean => {
    const known = accounted.get(write.id);
    if (known !== undefined) return known;
    const { replica: author, seq } = write.dot;
    const isPurged = write.isDelete && (purged.get(author) ?? 0) >= seq;
    const is = held.has(write.id) || isPurged || write.children.some((id) => isAccounted(history.writes()[id]!));
    accounted.set(write.id, is);
    return is;
  };
  const keys = new Set<DocumentKey>();
  for (const write of history.writes()) if (write.collection === collection) keys.add(write.key);
  for (const key of keys) for (const version of versionsOf(replica, collection, key)) held.add(history.idOf(version)!);
  for (const write of history.writes()) {
    if (write.collection !== collection || write.isUndone) continue;
    if (knows(knowledge, write.dot.replica, write.dot.seq) && !isAccounted(write))
      return `knows ${nameOf(write)} and has neither it nor what replaced it (I4)`;
  }
  return undefined;
}

/**
 * I1: where two replicas know the same of a collection, each visible version that this knowledge covers is held by both,
 * but for what a newer version, not yet claimed, replaced. Undefined when all is well.
 */
export function unequalDespiteKnowledge(
  a: Replica,
  b: Replica,
  collection: CollectionName,
  keys: readonly DocumentKey[],
): string | undefined {
  if (!isSameKnowledge(a, b, collection)) return undefined;
  for (const key of keys) {
    const ours = versionsOf(a, collection, key);
    const theirs = versionsOf(b, collection, key);
    const odd = missing(a, collection, ours, theirs) ?? missing(b, collection, theirs, ours);
    if (odd !== undefined)
      return `${collection}/${key} ${odd.replica.slice(0, 6)}:${odd.seq} is at one of two that know the same (I1)`;
  }
  return undefined;
}

function missing(
  holder: Replica,
  collection: CollectionName,
  held: readonly Version[],
  others: readonly Version[],
): Version | undefined {
  const { knowledge } = holder.collection(collection);
  return held.find(
    (v) =>
      v.value !== null &&
      knows(knowledge, v.replica, v.seq) &&
      !others.some((other) => isSameDot(other, v) || contextCovers(other.context, v.replica, v.seq)),
  );
}

function isSameKnowledge(a: Replica, b: Replica, collection: CollectionName): boolean {
  const ours = a.collection(collection).knowledge;
  const theirs = b.collection(collection).knowledge;
  if (ours.size !== theirs.size) return false;
  for (const [replica, { seq }] of ours) if (theirs.get(replica)?.seq !== seq) return false;
  return true;
}
