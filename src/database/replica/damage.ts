import type { Limits } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import type { Store, StoredDocument } from '../../store/index.ts';
import type { Draft } from './draft.ts';

/**
 * R11: a row of mine is unreadable, missing or wrong. Its ignorance must never pass for a deletion at a healthy peer (R5),
 * so all knowledge of the collection goes; sums are counted anew over the rows that are left. Rows that turn out to be
 * damaged on the way go too. Returns the keys of all that went.
 */
export function draftDamage(
  draft: Draft,
  store: Store,
  collection: CollectionName,
  keys: readonly DocumentKey[],
  limits: Limits,
): ReadonlySet<DocumentKey> {
  const damaged = new Set(keys);
  const sum = new FingerprintSum();
  let documents = 0;
  for (let after: DocumentKey | null = null; ; ) {
    const page = readablePage(store, collection, after, limits.messageVersionsMax, damaged);
    for (const document of page) {
      for (const version of document.versions) sum.add(version.digest);
      if (document.value !== null) documents++;
    }
    if (page.length < limits.messageVersionsMax) break;
    after = page.at(-1)!.key;
  }
  for (const key of damaged) draft.removeDamaged(collection, key);
  draft.recount(collection, documents, sum);
  draft.forgetKnowledge(collection);
  return damaged;
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
