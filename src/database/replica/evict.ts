import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import { FIRST_CHECK, FingerprintSum } from '../../core/version/index.ts';
import type { Store } from '../../store/index.ts';
import { readablePage } from './damage.ts';
import type { Draft } from './draft.ts';

/**
 * R12, the first of its commits: everything that could make a peer take the missing rows for deletions goes at once.
 * Knowledge is forgotten, so that no claim covers what is no longer here; the id is new, so that nobody who knows of my
 * own writes expects me to have them; frozen, so that nothing comes in while the rows go.
 */
export function draftEviction(draft: Draft, collection: CollectionName, after: ReplicaId): void {
  draft.setState(collection, 'frozen');
  draft.forgetKnowledge(collection);
  draft.beginLife(after, FIRST_CHECK);
  draft.meta(evictionMark(collection), 'evicting');
}

/** One slice of the rows. True when it was the last; the mark by which an interrupted eviction goes on is gone then. */
export function draftEvictedRows(draft: Draft, store: Store, collection: CollectionName, limit: number): boolean {
  const damaged = new Set<DocumentKey>();
  const page = readablePage(store, collection, null, limit, damaged);
  for (const document of page) draft.remove(document, 'evicted');
  for (const key of damaged) draft.removeDamaged(collection, key);
  if (page.length === limit) return false;
  draft.recount(collection, 0, new FingerprintSum());
  draft.meta(evictionMark(collection), null);
  return true;
}

const MARK = 'evicting:';

export function evictionMark(collection: CollectionName): string {
  return `${MARK}${collection}`;
}

/** Collections whose eviction was interrupted. */
export function markedEvictions(meta: ReadonlyMap<string, string>): CollectionName[] {
  return [...meta.keys()]
    .filter((name) => name.startsWith(MARK))
    .map((name) => name.slice(MARK.length) as CollectionName);
}
