import { isEntglDbError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import { countingMark, type Store, type StoredDocument } from '../../store/index.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';

/**
 * R11: a row of mine is unreadable, missing or wrong. Its ignorance must never pass for a deletion at a healthy peer (R5),
 * so all knowledge of the collection goes. What the row added to the sums is not known, so they are counted anew (`Recount`);
 * until then noise keeps the fingerprint from being that of a peer which holds the row: nothing would be sent to equals (R4).
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
  draft.meta(countingMark(name), 'counting');
}

/** Ends: each failure adds one more of finitely many keys to the damaged ones. */
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
      const key = damagedKey(error);
      if (key === undefined || damaged.has(key)) throw error;
      damaged.add(key);
    }
  }
}

function damagedKey(error: unknown): DocumentKey | undefined {
  return isEntglDbError(error, 'DOCUMENT_CORRUPT') ? (error.details.key as DocumentKey | undefined) : undefined;
}
