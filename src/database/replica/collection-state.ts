import type { CollectionName, ReplicaId } from '../../core/ids/index.ts';
import { EMPTY_FINGERPRINT, type Fingerprint, type Known } from '../../core/version/index.ts';
import type { CollectionRow, StoreImage } from '../../store/index.ts';

/** What the engine keeps in memory for a collection: its vectors and sums, never its documents. */
export interface CollectionState {
  readonly name: CollectionName;
  readonly state: CollectionRow['state'];
  /** Number of documents that readers see. */
  readonly documents: number;
  readonly fingerprint: Fingerprint;
  readonly resolver: string;
  /** Rises with every change of knowledge or purge line, so callers need not compare vectors. */
  readonly revision: number;
  readonly knowledge: ReadonlyMap<ReplicaId, Known>;
  readonly purged: ReadonlyMap<ReplicaId, number>;
}

export function emptyCollection(name: CollectionName, resolver: string): CollectionState {
  return {
    name,
    state: 'wanted',
    documents: 0,
    fingerprint: EMPTY_FINGERPRINT,
    resolver,
    revision: 0,
    knowledge: new Map(),
    purged: new Map(),
  };
}

/** The collections in the image of a store. */
export function loadCollections(image: StoreImage): Map<CollectionName, CollectionState> {
  const states = new Map<CollectionName, CollectionState>();
  for (const row of image.collections)
    states.set(row.name, {
      ...row,
      revision: 0,
      knowledge: withoutZero(image.knowledge.get(row.name) ?? []),
      purged: new Map(image.purgeLines.get(row.name)),
    });
  return states;
}

export function collectionRow(state: CollectionState): CollectionRow {
  const { name, documents, fingerprint, resolver } = state;
  return { name, state: state.state, documents, fingerprint, resolver };
}

/** Leaves out entries that were lowered to zero (R9): they mean nothing and are neither sent nor counted. */
function withoutZero(entries: Iterable<readonly [ReplicaId, Known]>): Map<ReplicaId, Known> {
  const knowledge = new Map(entries);
  for (const [replica, { seq }] of knowledge) if (seq === 0) knowledge.delete(replica);
  return knowledge;
}
