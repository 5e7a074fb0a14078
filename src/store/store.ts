import type { Hlc } from '../core/clock/index.ts';
import type { DocumentState } from '../core/document/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../core/ids/index.ts';
import type { IndexDefinition, Query } from '../core/query/index.ts';
import type { Check, Fingerprint, Known, Version } from '../core/version/index.ts';

/**
 * The store port: tables of documents, knowledge and small state, changed only by whole batches.
 *
 * - Everything is synchronous but `flush`, `close`, `findAside` and `countAside`. `commit` is atomic: after a crash the store is as after some prefix
 *   of the commits, and that prefix holds every commit that a resolved `flush` followed.
 * - Reads see every commit made so far, durable or not. Reads return frozen or fresh objects: a caller cannot change the
 *   store through them.
 * - Reads that return many rows take a limit and go on where the caller says; they hold no snapshot between calls.
 * - Orders by key and by replica are byte order (UTF-8). `pos` is unique per document and rises with every change.
 * - A row whose digests do not fit is reported by `DatabaseCorruptionError` (DOCUMENT_CORRUPT, details: collection, key);
 *   a file that is damaged beyond a row by DATABASE_CORRUPT. A failed `commit` changes nothing and throws
 *   PersistenceError (DISK_FULL, IO_FAILED …); after a failed `flush` all commits since the last good one are rejected, the
 *   store reopens itself and goes on from what is durable: `load` must be called again, and until then `commit` throws
 *   IO_FAILED, since it would build on what was lost.
 * - After `close` every call throws DATABASE_CLOSED; `close` itself is idempotent and flushes first.
 */
export interface Store {
  readonly supports: StoreManifest;

  /** The small state, read once at open: identity, head, collections with their vectors. */
  load(): StoreImage;
  /** One text of its `meta`, without reading the rest; undefined: there is none. */
  meta(name: string): string | undefined;
  commit(batch: StoreBatch): void;
  /** Resolves when every commit made before the call is durable; concurrent calls share one sync. */
  flush(): Promise<void>;
  close(): Promise<void>;

  /** `once`: it is not likely to be read again soon, so that a cache need not keep it. */
  get(collection: CollectionName, key: DocumentKey, use?: 'once'): StoredDocument | undefined;
  /** Which of these keys have no document, in one pass: for a batch that is about to be written. May leave some out. */
  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey>;
  /** Which of these keys have no document that readers see, without reading any; keys that hold NUL are left out. */
  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey>;
  /** Documents of a collection in key order, from after `afterKey` (null: from the first), without reading the rows of `except`. */
  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[];
  /** Documents of all collections that changed after `afterPos`, in order of `pos`. */
  changes(afterPos: number, limit: number): StoredDocument[];
  /** Live versions of one replica in one collection with a seq above `afterSeq`, in seq order (R4). */
  delta(collection: CollectionName, replica: ReplicaId, afterSeq: number, limit: number): StoredVersion[];
  /** Replicas that have live versions in the collection, in byte order. */
  liveReplicas(collection: CollectionName): ReplicaId[];
  /** Documents whose versions are all tombstones and that arrived here before `beforeMs`, oldest first (R7). */
  dead(beforeMs: number, limit: number): StoredDocument[];
  /** Fingerprint of each key range of the collection (R5), in one ordered pass. */
  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[];
  /** Key of the `n`-th document after `after` in key order (1: the next one); undefined when there are fewer. */
  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined;
  /** Documents in a key range, in key order. */
  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[];
  /** Removed documents logged after `afterPos`, in order of `pos`; bounded by `goneLogMax` (oldest forgotten first). */
  gone(afterPos: number, limit: number): GoneDocument[];
  /** Position up to which the log of removed documents has been forgotten. */
  goneFrom(): number;

  /** Documents that readers see and that fit the query, in its order. */
  find(collection: CollectionName, query: Query): FoundDocument[];
  /** How many documents fit the query's filter; sort, skip and limit are ignored. */
  count(collection: CollectionName, query: Query): number;
  /**
   * As `find`, for whoever can wait: a query that takes long is answered beside the event loop, and then a promise comes. Its answer
   * is of one moment, between the call and its end, and holds every commit made before the call. The signal ends it soon, with the
   * signal's reason.
   */
  findAside(collection: CollectionName, query: Query, signal?: AbortSignal): FoundDocument[] | Promise<FoundDocument[]>;
  /** As `count`, in the manner of `findAside`. */
  countAside(collection: CollectionName, query: Query, signal?: AbortSignal): number | Promise<number>;

  /** How `find` would answer, without doing it. */
  explain(collection: CollectionName, query: Query): QueryPlan;

  /** Indexes of the collection by name, those that are not built yet included, those being removed not. */
  indexes(collection: CollectionName): StoredIndex[];
  /**
   * Keeps an index from now on, in the place of another one of its name. Nothing happens where there is the same. It is kept
   * up to date by every commit, but answers queries only when `workOnIndexes` has entered the documents there are.
   */
  addIndex(collection: CollectionName, definition: IndexDefinition): void;
  /** False: there was none. Its room is given back by `workOnIndexes`. */
  removeIndex(collection: CollectionName, name: string): boolean;
  /**
   * One short step of what indexes have to do: entering documents, removing entries. False: nothing is left. After a crash it
   * goes on where it was. Throws as `commit` does, and DOCUMENT_CORRUPT for a document that cannot be entered.
   */
  workOnIndexes(): boolean;

  /** The own check at exactly this seq, if a commit ended there and it is still kept. */
  chainCheck(seq: number): Check | undefined;
  /** The oldest seq of the own chain that is still kept, or 0. */
  chainFrom(): number;

  /** Entries of a side table in order of id, after `afterId`. */
  entries(space: EntrySpace, afterId: number, limit: number): Entry[];
}

/**
 * R9 at open: whose history the store may go on writing. `fresh` means that the engine takes a new replica id before its
 * first write, because the file is new or may be a copy of one that lives on elsewhere.
 */
export interface StoreIdentity {
  readonly fresh: boolean;
  readonly reason: 'same' | 'new' | 'marker-missing' | 'marker-mismatch' | 'other-machine' | 'sealed' | 'cut-back';
  /** Highest seq that the life before may have acknowledged, even where `head` fell back behind it. The next one is above. */
  readonly reservedSeq: number;
  /**
   * The file holds less than it once did: its log was damaged or taken away, or with durability `normal` the power failed.
   * Absent: not so.
   */
  readonly isCutBack?: boolean;
  /** The file was gone although there had been one, and a new one was made. Absent: not so. */
  readonly isGone?: boolean;
  /** Logs of another file that lay beside it, where they are now. Absent: none. */
  readonly logsAside?: readonly string[];
}

/** What a store on a file can do for its own upkeep, beside the port. All of it while the store is used. */
export interface MaintainableStore extends Store {
  readonly identity: StoreIdentity;
  /** Documents among the newest ones that were found damaged at open (R11). */
  readonly damagedAtOpen: readonly DocumentName[];
  /**
   * Reads everything and names what is damaged, at most `damageListMax` of it. A signal ends the reading. Throws only
   * where the file cannot be read at all.
   */
  checkIntegrity(options?: { readonly signal?: AbortSignal }): AsyncIterable<Damage>;
  /**
   * Writes a consistent, verified copy, which takes a new replica id when it is opened. It appears under its name when it
   * is whole and durable. Rejects with BACKUP_EXISTS unless `overwrite`, BACKUP_FAILED when this store is damaged, or as
   * writing does; a signal removes what was written.
   */
  backup(toPath: string, options?: StoreBackupOptions): Promise<void>;
  /** Gives unused pages back to the file system, in short steps. A signal ends it between two of them. */
  compact(options?: { readonly signal?: AbortSignal }): Promise<void>;
  statistics(): StoreStatistics;
}

export interface StoreBackupOptions {
  readonly signal?: AbortSignal;
  readonly overwrite?: boolean;
  /** Told now and then; `fraction` from 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

export interface StoreStatistics {
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** Pages of the file that hold nothing. */
  readonly freePages: number;
}

/**
 * One damaged thing. `collection`: what it says of itself does not fit its documents. `index`: it does not fit its documents; an
 * open store makes it anew by itself. `file`: anything else.
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
  | { readonly kind: 'file'; readonly problem: string };

export interface StoreManifest {
  /** Commits survive the end of the process. */
  readonly durable: boolean;
  /** Queries are answered from indexes where there are any. */
  readonly indexes: boolean;
  /** A flush waits for nothing: whoever awaits one after another lets no timer and no socket have its turn. */
  readonly isFlushImmediate?: boolean;
  /** A commit that throws DATABASE_LOCKED is worth trying again for so long, ms; absent: it is not. */
  readonly lockedMsMax?: number;
}

/** A document at rest. `value` is what readers see: JSON text, or null where the document does not exist. */
export interface StoredDocument extends DocumentState {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly pos: number;
  /** Local wall clock at the moment when all versions were tombstones first, ms; null while the document is alive. */
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
  /** Only then it answers queries. */
  readonly isReady: boolean;
  /** Share of the documents that are in it, 0 to 1. */
  readonly progress: number;
}

/** How a query is answered. */
export interface QueryPlan {
  /** The index that is read; null: every document of the collection is. */
  readonly index: string | null;
  /** The part of the index, in words; null: all of it, or no index. Further parts are counted in `ranges`. */
  readonly range: string | null;
  readonly ranges: number;
  /** Whether the filter, or what the range leaves of it, is held against each document that is read. */
  readonly filtered: boolean;
  /** `index`: they are read in order. `memory`: all that fit are sorted. `none`: nothing is to be sorted but keys. */
  readonly sort: 'index' | 'memory' | 'none';
  /** Documents that would be read; `estimatedRowsMax` means: so many or more. */
  readonly estimatedRows: number;
}

/** Keys above `after` (null: from the first) up to and including `upTo` (null: to the last). */
export interface KeyRange {
  readonly after: DocumentKey | null;
  readonly upTo: DocumentKey | null;
}

/** Why a document's row went away without a write: purged tombstone, dropped by R5, evicted, or found damaged. */
export type GoneReason = 'purged' | 'dropped' | 'evicted' | 'damaged';

export interface GoneDocument {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly pos: number;
  readonly why: GoneReason;
  /**
   * Position of the change by which readers stopped to see the document, long before its row went (a purged tombstone), or
   * null where they saw it until now. So `watch` tells a deletion to those who missed it, and only to them.
   */
  readonly deadSince: number | null;
}

/** Side tables: small, bounded, ordered. The owner of each space bounds it. */
export type EntrySpace =
  | 'queue'
  | 'conflicts'
  | 'evidence'
  | 'quarantine'
  | 'receipts'
  | 'events'
  | 'peers'
  | 'health'
  | 'blobs'
  | 'history';

export interface Entry {
  /** Positive, unique in its space. */
  readonly id: number;
  /** JSON text. */
  readonly data: string;
}

/** Where this replica's own history stands. */
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
  /** `frozen`: no longer wanted (R12), rows and knowledge stay. */
  readonly state: 'wanted' | 'frozen';
  /** Documents that readers see. */
  readonly documents: number;
  readonly fingerprint: Fingerprint;
  /** Resolver name and revision by which `value` of documents with siblings was made, as `name@revision`. */
  readonly resolver: string;
}

/** Names a document. */
export interface DocumentName {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}

/** How much of the bounded logs is kept. */
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

/** All of it happens, or nothing. Absent means: nothing of that kind. */
export interface StoreBatch {
  readonly head?: Head;
  /** One row of the own chain: the check after this commit, at `head.seq`. */
  readonly chain?: boolean;
  /** Forget the own chain: a new replica begins. */
  readonly resetChain?: boolean;
  /** Whole new states; made or replaced. */
  readonly documents?: readonly StoredDocument[];
  /** Rows to remove, with the log entry that says so. */
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
