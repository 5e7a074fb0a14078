import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { Store } from '../../store/index.ts';
import type { Draft } from './draft.ts';

/**
 * R3 after a change of the resolver: what readers see of documents with siblings is made again, one page at a time. The
 * versions stay as they are. Returns the key to go on after, or null when the collection was done; then it carries the
 * new resolver's name.
 */
export function draftReresolved(
  draft: Draft,
  store: Store,
  collection: CollectionName,
  after: DocumentKey | null,
  limit: number,
  resolver: string,
): DocumentKey | null {
  const page = store.documents(collection, after, limit);
  for (const document of page) if (document.versions.length > 1) draft.resolveAgain(document);
  if (page.length === limit) return page.at(-1)!.key;
  draft.setResolver(collection, resolver);
  return null;
}
