import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { contextCovers, isSameDot, knows, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import { type History, nameOf } from './history.ts';
import { versionsOf } from './holdings.ts';
import type { TrueWrite } from './true-write.ts';

/**
 * I4: for every write that its knowledge covers, the replica holds the version, or holds one that truly replaced it, or
 * its purge line covers the tombstone that ended the history. Returns undefined if that holds.
 */
export function unsoundKnowledge(replica: Replica, collection: CollectionName, history: History): string | undefined {
  const { knowledge, purged } = replica.collection(collection);
  const writes = history.ofCollection(collection);
  const accounted = new Uint8Array(history.size);
  for (const { key } of history.places(collection))
    for (const version of versionsOf(replica, collection, key)) accounted[history.idOf(version)!] = 1;
  let unsound: TrueWrite | undefined;
  // A replacement is always newer than what it replaced. Going backwards, its own verdict is known by the time it is needed.
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i]!;
    const { id, dot, isDelete, children } = write;
    const isPurged = isDelete && (purged.get(dot.replica) ?? 0) >= dot.seq;
    if (isPurged || children.some((child) => accounted[child] === 1)) accounted[id] = 1;
    if (accounted[id] === 0 && !write.isUndone && knows(knowledge, dot.replica, dot.seq)) unsound = write;
  }
  return unsound && `knows ${nameOf(unsound)} and has neither it nor what replaced it (I4)`;
}

/**
 * I1: if two replicas have the same knowledge of a collection, both hold every visible version that this knowledge
 * covers. The exception is a version that a newer one, not yet claimed, has replaced. Returns undefined if that holds.
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
