import type { Hlc } from '../core/clock/index.ts';
import type { DocumentState } from '../core/document/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../core/ids/index.ts';
import type { IndexDefinition, Query } from '../core/query/index.ts';
import type { Check, Fingerprint, Known, Version } from '../core/version/index.ts';

/**
 * The store port: tables of documents, knowledge and small state, changed only by whole batches.
 *
 * - Everything is synchronous except `flush`, `close`, `findAside` and `countAside`. `commit` is atomic: after a crash the
 *   store holds some prefix of the commits, which includes every commit made before a `flush` that resolved.
 * - Reads see every commit made so far, durable or not. They return frozen or fresh objects, so that a caller cannot change
 *   the store through them.
 * - Reads that return many rows take a limit and continue where the caller says. They hold no snapshot between calls.
 * - Keys and replicas are in byte order (UTF-8). `pos` is unique per document and rises with every change.
 * - A row that does not fit its digests is reported by `DatabaseCorruptionError` (DOCUMENT_CORRUPT, details: collection,
 *   key), and damage beyond a single row by DATABASE_CORRUPT.
 * - A failed `commit` changes nothing and throws a PersistenceError (DISK_FULL, IO_FAILED …). A failed `flush` loses all
 *   commits since the last good one; the store reopens itself and continues from what is durable. `load` must then be
 *   called again, and until that `commit` throws IO_FAILED, since it would build on lost commits.
 * - After `close` every call throws DATABASE_CLOSED. `close` itself flushes first and is idempotent.
 */
export interface Store {
  readonly supports: StoreManifest;

  /** The small state, read once at open: head, collections with their knowledge and purge lines, metadata. */
  load(): StoreImage;
  /** A single text of `StoreImage.meta`, without loading the rest; undefined: there is none. */
  meta(name: string): string | undefined;
  commit(batch: StoreBatch): void;
  /** Resolves when every commit made before the call is durable. Concurrent calls share one sync. */
  flush(): Promise<void>;
  close(): Promise<void>;

  /** `once`: the document is not likely to be read again soon, so a cache need not keep it. */
  get(collection: CollectionName, key: DocumentKey, use?: 'once'): StoredDocument | undefined;
  /** Those of the keys that have no document, found in one pass, for a batch about to be written. May leave some out. */
  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey>;
  /** Those of the keys without a document that readers see, found without reading values. Keys that hold NUL are left out. */
  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey>;
  /** Documents of a collection in key order, after `afterKey` (null: from the first). Rows of the keys in `except` are not read. */
  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[];
  /** Documents of all collections whose newest change came after `afterPos`, in order of `pos`. */
  changes(afterPos: number, limit: number): StoredDocument[];
  /**
   * Live versions of one replica in one collection with a seq above `afterSeq`, in seq order (R4). Ends with the version whose value
   * brings all values together to `charactersMax` characters or more. Default: no bound.
   */
  delta(
    collection: CollectionName,
    replica: ReplicaId,
    afterSeq: number,
    limit: number,
    charactersMax?: number,
  ): StoredVersion[];
  /** Replicas that have live versions in the collection, in byte order. */
  liveReplicas(collection: CollectionName): ReplicaId[];
  /** Documents that have consisted of tombstones only since before `beforeMs` (`deadAt`), oldest first (R7). */
  dead(beforeMs: number, limit: number): StoredDocument[];
  /** Fingerprint of each key range of the collection (R5), in one ordered pass. */
  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[];
  /** Key of the `n`-th document after `after` in key order (1: the next one); undefined if there are fewer. */
  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined;
  /** Documents in a key range, in key order. */
  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[];
  /** Removed documents logged after `afterPos`, in order of `pos`. The log holds the newest `goneLogMax` of them. */
  gone(afterPos: number, limit: number): GoneDocument[];
  /** Position up to which the log of removed documents has been forgotten; 0: nothing has. */
  goneFrom(): number;

  /** Documents that readers see and that fit the query, in its order. */
  find(collection: CollectionName, query: Query): FoundDocument[];
  /** Number of documents that fit the query's filter. Sort, skip and limit are ignored. */
  count(collection: CollectionName, query: Query): number;
  /**
   * As `find`, for callers that can wait: a query that takes long is answered beside the event loop and returns a promise.
   * The answer is as of one moment between call and end, and includes every commit made before the call. An aborted signal
   * ends the query soon and rejects with the signal's reason.
   */
  findAside(collection: CollectionName, query: Query, signal?: AbortSignal): FoundDocument[] | Promise<FoundDocument[]>;
  /** As `count`, in the manner of `findAside`. */
  countAside(collection: CollectionName, query: Query, signal?: AbortSignal): number | Promise<number>;

  /** How `find` would answer the query, without running it. */
  explain(collection: CollectionName, query: Query): QueryPlan;

  /** Indexes of the collection, sorted by name, including those still being built but not those being removed. */
  indexes(collection: CollectionName): StoredIndex[];
  /**
   * Adds an index, replacing another one with its name. Does nothing if the same index exists. From now on every commit
   * keeps it up to date, but it answers queries only once `workOnIndexes` has entered the existing documents.
   * A commit that fills a collection may undo that (`FILLING_COMMIT_MIN`).
   */
  addIndex(collection: CollectionName, definition: IndexDefinition): void;
  /** Removes an index; false: there is none. `workOnIndexes` frees its space. */
  removeIndex(collection: CollectionName, name: string): boolean;
  /**
   * Does one short step of pending index work: entering documents or removing entries. False: nothing is left. After a crash
   * the work continues where it was. Throws as `commit` does, and DOCUMENT_CORRUPT for a document that cannot be entered.
   */
  workOnIndexes(): boolean;

  /** This replica's check at exactly this seq, if a commit ended there and the check is still kept. */
  chainCheck(seq: number): Check | undefined;
  /** The oldest seq of this replica's chain of checks that is still kept, or 0. */
  chainFrom(): number;

  /**
   * Entries of a side table with an id above `afterId`, in order; fewer than `limit` only if there are no more. One that is damaged is
   * left out, and reported by a store on a file.
   */
  entries(space: EntrySpace, afterId: number, limit: number): Entry[];
}

/**
 * R9 at open: whether the engine may continue the file's own history. `fresh` means that it must take a new replica id
 * before its first write, because the file is new or may be a copy of one that is used elsewhere.
 */
export interface StoreIdentity {
  readonly fresh: boolean;
  readonly reason: 'same' | 'new' | 'marker-missing' | 'marker-mismatch' | 'other-machine' | 'sealed' | 'cut-back';
  /** Highest seq that the life before may have acknowledged, even if `head` fell back behind it. The next seq is above it. */
  readonly reservedSeq: number;
  /** Highest change position that may have been given out before, even if `head` fell back behind it. */
  readonly reservedPos: number;
  /**
   * The file holds less than it once did: its log was damaged or removed, or with durability `normal` the power failed.
   * Absent: it does not.
   */
  readonly isCutBack?: boolean;
  /** The file was missing although there had been one, and a new one was made. Absent: it was not. */
  readonly isGone?: boolean;
  /** Paths to which logs of another file were moved that lay beside this one. Absent: none. */
  readonly logsAside?: readonly string[];
}

/** Maintenance that a store on a file offers in addition to the port. All of it works while the store is in use. */
export interface MaintainableStore extends Store {
  readonly identity: StoreIdentity;
  /** Those of the newest documents that were found damaged at open (R11). */
  readonly damagedAtOpen: readonly DocumentName[];
  /**
   * Reads everything and lists what is damaged, at most `damageListMax` things. A signal ends it. Throws only if something
   * other than damage keeps it from reading, such as a lock.
   */
  checkIntegrity(options?: { readonly signal?: AbortSignal }): AsyncIterable<Damage>;
  /**
   * Writes a consistent, verified copy, which will take a new replica id when it is opened. The copy appears under its name
   * only once it is complete and durable. Rejects with BACKUP_EXISTS if the file exists and `overwrite` is not set, with
   * BACKUP_FAILED if this store is damaged, or as writing does. A signal ends it and removes what was written.
   */
  backup(toPath: string, options?: StoreBackupOptions): Promise<void>;
  /** Returns unused pages to the file system, in short steps. A signal ends it between two steps; what was returned is not taken back. */
  compact(options?: { readonly signal?: AbortSignal }): Promise<void>;
  statistics(): StoreStatistics;
}

export interface StoreBackupOptions {
  readonly signal?: AbortSignal;
  readonly overwrite?: boolean;
  /** Called now and then with a `fraction` from 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

export interface StoreStatistics {
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** Unused pages of the file. */
  readonly freePages: number;
}

/**
 * One damaged thing. `collection`: its count or fingerprint does not fit its documents. `index`: it does not fit its
 * documents; an open store rebuilds it by itself. `entry`: of a side table. `file`: anything else.
 */
export type Damage =
  | {
      readonly kind: 'document';
      readonly collection: CollectionName;
      readonly key: DocumentKey;
      readonly problem: string;
    }
  | { readonly kind: 'collection'; readonly collection: CollectionName; readonly problem: string }
  | {
      readonly kind: 'index';
      readonly collection: CollectionName;
      readonly indexId: number;
      readonly problem: string;
    }
  | ({ readonly kind: 'entry' } & DamagedEntry)
  | { readonly kind: 'file'; readonly problem: string };

/** An entry of a side table that does not fit its sum. */
export interface DamagedEntry {
  readonly space: EntrySpace;
  readonly id: number;
  readonly problem: string;
}

export interface StoreManifest {
  /** Whether commits survive the end of the process. */
  readonly durable: boolean;
  /** Whether queries are answered from indexes. */
  readonly indexes: boolean;
  /** Whether a flush waits for nothing. A loop that awaits such flushes never yields to timers and sockets. */
  readonly isFlushImmediate?: boolean;
  /** How long a commit that throws DATABASE_LOCKED is worth retrying, ms; absent: it is not. */
  readonly lockedMsMax?: number;
}

/** A document as it is stored. `value` is what readers see: JSON text, or null if the document does not exist. */
export interface StoredDocument extends DocumentState {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly pos: number;
  /** Local wall clock when all versions had become tombstones, ms; null while the document is alive. */
  readonly deadAt: number | null;
  readonly value: string | null;
}

export interface StoredVersion {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly version: Version;
}

export interface FoundDocument {
  readonly key: DocumentKey;
  readonly value: string;
}

export interface StoredIndex {
  readonly definition: IndexDefinition;
  /** Whether it is built: only then it answers queries. */
  readonly isReady: boolean;
  /** Estimated share of the documents entered so far, 0 to 1. */
  readonly progress: number;
}

/** How a query is answered. */
export interface QueryPlan {
  /** Name of the index that is read; null: no index, every document of the collection is read. */
  readonly index: string | null;
  /** The first range of the index that is read, as readable text; null: the whole index, or no index. */
  readonly range: string | null;
  /** Number of ranges of the index that are read. */
  readonly ranges: number;
  /** Whether the filter, or the part of it that the ranges leave open, is checked for each document that is read. */
  readonly filtered: boolean;
  /** `index`: documents are read in order. `memory`: all that fit are sorted. `none`: no order but that of keys was asked for. */
  readonly sort: 'index' | 'memory' | 'none';
  /** Estimated number of documents read. `estimatedRowsMax` stands for that many or more. */
  readonly estimatedRows: number;
}

/** Keys above `after` (null: from the first) up to and including `upTo` (null: to the last). */
export interface KeyRange {
  readonly after: DocumentKey | null;
  readonly upTo: DocumentKey | null;
}

/** Why a document's row was removed without a write: its tombstone was purged, R5 dropped it, it was evicted, or damaged. */
export type GoneReason = 'purged' | 'dropped' | 'evicted' | 'damaged';

export interface GoneDocument {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly pos: number;
  readonly why: GoneReason;
  /**
   * Position of the change that deleted the document for readers, long before its row was removed (a purged tombstone);
   * null if readers saw it until its removal. With it, `watch` reports a deletion only to those who missed it.
   */
  readonly deadSince: number | null;
}

/** Side tables: small, ordered, each bounded by its owner. */
export type EntrySpace =
  | 'queue'
  | 'conflicts'
  | 'conflict-heads'
  | 'quarantine'
  | 'receipts'
  | 'events'
  | 'health'
  | 'blobs'
  | 'history';

export interface Entry {
  /** Positive, unique in its space. */
  readonly id: number;
  /** JSON text. */
  readonly data: string;
}

/** The current end of this replica's own history. */
export interface Head {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly check: Check;
  readonly hlc: Hlc;
  /** Newest change position. */
  readonly pos: number;
}

export interface CollectionRow {
  readonly name: CollectionName;
  /** `frozen`: no longer wanted (R12), while rows and knowledge stay. */
  readonly state: 'wanted' | 'frozen';
  /** Documents that readers see. */
  readonly documents: number;
  readonly fingerprint: Fingerprint;
  /** The resolver (`name@revision`) that made `value` of documents with siblings. */
  readonly resolver: string;
}

/** Collection and key of a document. */
export interface DocumentName {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}

/** Bounds of the logs. */
export interface LogLimits {
  readonly chainLengthMax: number;
  readonly goneLogMax: number;
}

export interface StoreImage {
  /** Undefined in a new store. */
  readonly head: Head | undefined;
  readonly collections: readonly CollectionRow[];
  readonly knowledge: ReadonlyMap<CollectionName, ReadonlyMap<ReplicaId, Known>>;
  readonly purgeLines: ReadonlyMap<CollectionName, ReadonlyMap<ReplicaId, number>>;
  readonly meta: ReadonlyMap<string, string>;
}

/** Changes that happen together or not at all. An absent member changes nothing of its kind. */
export interface StoreBatch {
  readonly head?: Head;
  /** Whether to add the check after this commit, `head.check` at `head.seq`, to this replica's chain. */
  readonly chain?: boolean;
  /** Whether to forget the chain first, because a new life begins. */
  readonly resetChain?: boolean;
  /** Complete new states of documents, inserted or replaced. */
  readonly documents?: readonly StoredDocument[];
  /** Rows to remove, each with its entry in the log of removed documents. */
  readonly removed?: readonly GoneDocument[];
  readonly collections?: readonly CollectionRow[];
  readonly knowledge?: readonly KnowledgeRow[];
  /** Collections whose knowledge is forgotten before `knowledge` is written (R11). */
  readonly forget?: readonly CollectionName[];
  readonly purged?: readonly PurgeRow[];
  readonly meta?: ReadonlyMap<string, string | null>;
  readonly entries?: readonly EntryRow[];
}

export interface KnowledgeRow extends Known {
  readonly collection: CollectionName;
  readonly replica: ReplicaId;
}

export interface PurgeRow {
  readonly collection: CollectionName;
  readonly replica: ReplicaId;
  readonly seq: number;
}

export interface EntryRow {
  readonly space: EntrySpace;
  readonly id: number;
  /** Null removes the entry. */
  readonly data: string | null;
}
