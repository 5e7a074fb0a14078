import type { EntglDbError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { GoneDocument, StoredDocument } from '../../store/index.ts';
import type { DraftedChange } from './draft.ts';

export interface LocalWrite {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** Checked JSON text of an object, or null to delete. */
  readonly value: string | null;
  /** Missing: replaces whatever is there. Null: only if there is no document. Otherwise the token of the version to replace. */
  readonly ifVersion?: string | null | undefined;
}

/** Writes that all happen, or none. The last write of a document counts. */
export interface LocalTransaction {
  readonly writes: readonly LocalWrite[];
}

export type LocalOutcome =
  /** `existed`: whether there was a document before, for each write in order. */
  | { readonly kind: 'written'; readonly existed: readonly boolean[] }
  | { readonly kind: 'refused'; readonly error: EntglDbError };

export interface CommitNotice {
  /** `remote`: from a peer, through the session `source`; `own`: purge, repair, new life, side tables. */
  readonly origin: 'local' | 'remote' | 'own';
  readonly source: object | undefined;
  readonly pos: number;
  readonly changed: readonly StoredDocument[];
  readonly removed: readonly GoneDocument[];
  /** Every change in order, with the state before it, except evictions. */
  readonly drafted: readonly DraftedChange[];
}

/** What R9 did, for logs, status and tests. */
export interface NewLife {
  readonly before: ReplicaId;
  readonly after: ReplicaId;
  readonly why: string;
  /** Versions of the old life beyond the last confirmed point that were written again. */
  readonly rewritten: number;
  readonly confirmedSeq: number;
}
