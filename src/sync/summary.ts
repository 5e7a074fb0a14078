import { hash } from 'node:crypto';
import type { CollectionName } from '../core/ids/index.ts';
import { compareBytes } from '../core/ids/index.ts';
import { fingerprintToBytes, sortedByReplica } from '../core/version/index.ts';
import type { SyncCollection } from './replica-port.ts';

/**
 * R4: 16 bytes over (knowledge, purge line, fingerprint) of a collection. Equal digests mean that two nodes hold and know the
 * same: nothing else needs to travel.
 */
function collectionDigest(collection: SyncCollection): Uint8Array {
  let text = '';
  for (const [replica, { seq, check }] of sortedByReplica(collection.knowledge)) text += `${replica}.${seq}.${check},`;
  text += '|';
  for (const [replica, seq] of sortedByReplica(collection.purged)) text += `${replica}.${seq},`;
  return short(Buffer.concat([fingerprintToBytes(collection.fingerprint), Buffer.from(text)]));
}

/** 16 bytes over the knowledge of a collection alone. Nodes on which it is equal hold the same versions (I1). */
export function knowledgeDigest({ knowledge }: Pick<SyncCollection, 'knowledge'>): Uint8Array {
  return short(
    Buffer.from(
      sortedByReplica(knowledge)
        .map(([replica, { seq }]) => `${replica}.${seq},`)
        .join(''),
    ),
  );
}

/** One digest over the given digests of collections. */
export function sessionDigest(digests: ReadonlyMap<CollectionName, Uint8Array>): Uint8Array {
  const names = [...digests.keys()].sort(compareBytes);
  return short(
    Buffer.concat(names.flatMap((name) => [Buffer.from(`${Buffer.byteLength(name)}:${name}`), digests.get(name)!])),
  );
}

/** Digests of collections, recomputed only when a collection has changed. */
export class DigestCache {
  readonly #byName = new Map<CollectionName, { readonly of: SyncCollection; readonly digest: Uint8Array }>();

  digest(collection: SyncCollection): Uint8Array {
    const held = this.#byName.get(collection.name);
    if (held?.of === collection) return held.digest;
    const digest = collectionDigest(collection);
    this.#byName.set(collection.name, { of: collection, digest });
    return digest;
  }
}

export function hasHistory(collection: SyncCollection): boolean {
  return collection.knowledge.size > 0 || collection.purged.size > 0 || collection.fingerprint.count > 0;
}

/** Whether both are there and the same. */
export function isSameDigest(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

function short(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, 16);
}
