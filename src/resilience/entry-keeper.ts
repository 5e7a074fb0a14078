import type { Entry, EntryRow, EntrySpace } from '../store/index.ts';

/**
 * What the services here need of a database: its side tables. A `Replica` is one. `commitEntries` is one atomic commit; it is
 * durable once a `flush` after it resolved. When a flush fails, commits are lost, `onReload` is called, and what a service
 * remembers of its entries must be read again.
 */
export interface EntryKeeper {
  readonly store: { entries(space: EntrySpace, afterId: number, limit: number): Entry[] };
  commitEntries(change: (draft: EntryDraft) => void): void;
  flush(): Promise<void>;
  /** Returns what ends the subscription. */
  onReload(listener: (cause: unknown) => void): () => void;
}

export interface EntryDraft {
  entry(row: EntryRow): void;
}
