import type { Entry, EntrySpace, Store } from './store.ts';

/** Entries read at a time: each may hold two large documents. */
const PAGE_ENTRIES_MAX = 64;

/** The entries of a side table with an id above `afterId`, in order, read page by page as they are taken. */
export function* allEntries(store: Pick<Store, 'entries'>, space: EntrySpace, afterId = 0): Generator<Entry> {
  for (let after = afterId; ; ) {
    const page = store.entries(space, after, PAGE_ENTRIES_MAX);
    yield* page;
    if (page.length < PAGE_ENTRIES_MAX) return;
    after = page.at(-1)!.id;
  }
}
