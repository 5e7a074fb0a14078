import type { Limits } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import type { Store } from '../../store/index.ts';
import type { Draft } from './draft.ts';

/**
 * R11: a row of mine is unreadable, missing or wrong. Its ignorance must never pass for a deletion at a healthy peer (R5),
 * so all knowledge of the collection goes; sums are counted anew over the rows that are left.
 */
export function draftDamage(
  draft: Draft,
  store: Store,
  collection: CollectionName,
  keys: readonly DocumentKey[],
  limits: Limits,
): void {
  const damaged = new Set(keys);
  const sum = new FingerprintSum();
  let documents = 0;
  for (let after: DocumentKey | null = null; ; ) {
    const page = store.documents(collection, after, limits.messageVersionsMax, damaged);
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
}
