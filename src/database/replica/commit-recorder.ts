import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { Moment } from './conflict-ledger.ts';
import type { Draft } from './draft.ts';

/** A document that a draft changes: as it was, and what readers see then. */
export interface DraftedChange {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly before: StoredDocument | undefined;
  /** Undefined: its row goes. */
  readonly after: StoredDocument | undefined;
  /** JSON text; null: readers see no document. */
  readonly value: string | null;
}

/** Adds to commits what a service keeps of them, in the same transaction. */
export interface CommitRecorder {
  /** The draft is about to be committed. */
  record(draft: Draft, now: Moment): void;
  /** Adds to a draft that what was kept long enough goes. */
  forgetOld(draft: Draft, livedMs: number): void;
  /** The commit failed, or commits were lost: what is remembered of them is read again. */
  reset(): void;
}
