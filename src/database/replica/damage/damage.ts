import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { FingerprintSum } from '../../../core/version/index.ts';
import { damagedDocument, markOf, type Store, type StoredDocument } from '../../../store/index.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Draft } from '../draft.ts';

/**
 * R11: a row on this node is unreadable, missing or wrong. A healthy peer must never take its absence for a deletion (R5), so
 * this node forgets all knowledge of the collection. How the row contributed to the sums is unknown, so they are counted
 * again (`Recount`). Until then, noise makes the fingerprint differ from that of a peer that holds the row: equal peers would
 * send nothing (R4).
 */
export function draftDamage(
  draft: Draft,
  { name, documents, fingerprint }: CollectionState,
  keys: readonly DocumentKey[],
  noise: Uint8Array,
): void {
  for (const key of keys) draft.removeDamaged(name, key);
  const sum = new FingerprintSum(fingerprint);
  sum.add(noise);
  draft.recount(name, documents, sum);
  draft.forgetKnowledge(name);
  draft.meta(markOf('counting', name), 'counting');
}

/**
 * One page of the rows that can be read; adds the keys of damaged rows to `damaged`. It terminates: each failure adds one
 * more of finitely many keys.
 */
export function readablePage(
  store: Store,
  collection: CollectionName,
  after: DocumentKey | null,
  limit: number,
  damaged: Set<DocumentKey>,
): StoredDocument[] {
  for (;;) {
    try {
      return store.documents(collection, after, limit, damaged);
    } catch (error) {
      const key = damagedDocument(error)?.key;
      if (key === undefined || damaged.has(key)) throw error;
      damaged.add(key);
    }
  }
}
