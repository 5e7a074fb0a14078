import type { EntglDbError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { GoneDocument, StoredDocument } from '../../store/index.ts';
import type { DraftedChange } from './draft.ts';

export interface LocalWrite {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** JSON text of an object, already checked, or null to delete. */
  readonly value: string | null;
  /** Absent: whatever is there. Null: only if there is no document. Else the token of the version to replace. */
  readonly ifVersion?: string | null | undefined;
}

/** All of its writes happen, or none. A document written twice in it keeps the last. */
export interface LocalTransaction {
  readonly writes: readonly LocalWrite[];
}

export type LocalOutcome =
  /** `existed`: whether there was a document before, for each write in order. */
  | { readonly kind: 'written'; readonly existed: readonly boolean[] }
  | { readonly kind: 'refused'; readonly error: EntglDbError };

export interface CommitNotice {
  /** `remote`: from a peer, `source` says from which session; `own`: purge, repair, new life. */
  readonly origin: 'local' | 'remote' | 'own';
  readonly source: object | undefined;
  readonly pos: number;
  readonly changed: readonly StoredDocument[];
  readonly removed: readonly GoneDocument[];
  /** Every change in order, with what was there before; evicted documents are left out. */
  readonly drafted: readonly DraftedChange[];
}

/** What R9 did: for the log, the screen, and the tests. */
export interface NewLife {
  readonly before: ReplicaId;
  readonly after: ReplicaId;
  readonly why: string;
  /** Versions of the old life beyond the last confirmed point that were written again. */
  readonly rewritten: number;
  readonly confirmedSeq: number;
}
