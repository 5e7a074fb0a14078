import type { CollectionName, ReplicaId } from '../core/ids/index.ts';
import type { Store, StoredVersion } from './store.ts';

export interface DeltaRange {
  readonly collection: CollectionName;
  readonly replica: ReplicaId;
  readonly afterSeq: number;
  /** Default: no bound. */
  readonly upToSeq?: number;
  /** Versions read at a time. Default 64. */
  readonly pageMax?: number;
}

/** The live versions of one replica in a collection, in seq order, read page by page as they are taken. */
export function* allVersions(store: Pick<Store, 'delta'>, range: DeltaRange): Generator<StoredVersion> {
  const { collection, replica, afterSeq, upToSeq = Number.POSITIVE_INFINITY, pageMax = 64 } = range;
  for (let after = afterSeq; after < upToSeq; ) {
    const limit = Math.min(pageMax, upToSeq - after);
    const page = store.delta(collection, replica, after, limit);
    for (const stored of page) if (stored.version.seq <= upToSeq) yield stored;
    if (page.length < limit) return;
    after = page.at(-1)!.version.seq;
  }
}
