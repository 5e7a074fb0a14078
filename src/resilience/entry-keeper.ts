import type { Entry, EntryRow, EntrySpace } from '../store/index.ts';

/**
 * What these services need of a database: its side tables. A `Replica` is an EntryKeeper. `commitEntries` is one atomic commit,
 * durable once a later `flush` has resolved. If a flush fails, commits are lost, `onReload` listeners are called, and a service
 * must read its entries again.
 */
export interface EntryKeeper {
  readonly store: { entries(space: EntrySpace, afterId: number, limit: number): Entry[] };
  commitEntries(change: (draft: EntryDraft) => void): void;
  flush(): Promise<void>;
  /** Returns a function that ends the subscription. */
  onReload(listener: (cause: unknown) => void): () => void;
}

export interface EntryDraft {
  entry(row: EntryRow): void;
}
