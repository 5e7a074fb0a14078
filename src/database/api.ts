import type { IndexSpec, JsonValue } from '../core/query/index.ts';
import type { QueryPlan } from '../store/index.ts';
import type { Blobs } from './blobs/index.ts';
import type {
  Document,
  DocumentVersion,
  ReadOptions,
  ScanOptions,
  Versioned,
  WaitOptions,
  WriteOptions,
} from './document-api.ts';
import type { HistoryEntry, Moment, UndoOptions } from './history/index.ts';
import type { LiveCount, LiveDocument, LiveEntry, LiveQuery } from './live/index.ts';
import type {
  Aggregate,
  EnsureIndexOptions,
  FieldQuery,
  FindOptions,
  FluentQuery,
  Group,
  IndexInfo,
  Page,
  PageOptions,
} from './query/index.ts';
import type {
  CollectionOptions,
  CountablePath,
  DocumentIssue,
  Filter,
  InputOf,
  InvalidDocument,
  OutputOf,
  Patch,
  Path,
  StandardSchema,
  ValueAt,
} from './schema/index.ts';
import type { CollectionInfo } from './wants.ts';

export interface MigrateOptions extends WaitOptions {
  /** Called after each slice. */
  readonly onProgress?: (progress: MigrateProgress) => void;
}

export interface MigrateProgress {
  /** Documents looked at so far. */
  readonly documents: number;
  /** How many of them were written back in the newest shape. */
  readonly migrated: number;
  /** How many of them stay as they are, because a migration or the schema refused them. */
  readonly invalid: number;
}

export interface WatchOptions extends WaitOptions {
  /** The `resume` token of the last change seen. Default: from now on. */
  readonly resume?: string;
}

export interface LiveOptions<T, Input = T> extends FindOptions<Input>, WaitOptions {
  /**
   * An earlier result, of this run of the program or a former one. The first update of each iterator says how the result
   * differs from it. Default: the empty result.
   */
  readonly previous?: readonly LiveEntry<T>[];
  /** Only documents after this place: the `next` of a page with the same sort. Default: from the first. */
  readonly after?: string;
}

/**
 * A change of a collection. `origin` says whether this node wrote it; pass `resume` to `watch` to continue after it. After a
 * `reset`, when the token is older than the log of removals or names a change that this file has lost, read the collection
 * again, call `flush`, and then continue: until `flush` resolves, a power cut can take back what was read.
 */
export type Change<T> =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: T;
      readonly resume: string;
      readonly origin: 'local' | 'remote';
    }
  | { readonly kind: 'delete'; readonly key: string; readonly resume: string; readonly origin: 'local' | 'remote' }
  /** The document does not fit the schema of the collection: readers no longer see it. */
  | {
      readonly kind: 'invalid';
      readonly key: string;
      readonly issues: readonly DocumentIssue[];
      readonly resume: string;
      readonly origin: 'local' | 'remote';
    }
  | { readonly kind: 'reset'; readonly resume: string };

/**
 * The documents of one collection. Values are plain objects that belong to the caller: changing one changes nothing stored.
 * A write resolves when it is durable on this node (Persistence.Durability). Reads made after the call see the write
 * immediately, unless the schema of the collection validates asynchronously.
 *
 * With a schema, writes take its input and throw DOCUMENT_INVALID for what it refuses; reads give its output. `find`,
 * `findEntries` and `entries` leave out stored documents that the schema refuses; `get`, `getVersioned` and `require` throw
 * DOCUMENT_INVALID for them.
 */
export interface Collection<T extends object = Document, Input extends object = T> {
  readonly name: string;
  /** Replaces the whole document. */
  put(key: string, value: Input, options?: WriteOptions): Promise<void>;
  /** Writes a new document and resolves with its key, a UUID of version 7: the keys that one node makes sort by time. */
  add(value: Input, options?: WaitOptions): Promise<string>;
  /** The document; undefined if there is none. */
  get(key: string, options?: ReadOptions): Promise<T | undefined>;
  /** The document with its version token for `ifVersion`; undefined if there is none. */
  getVersioned(key: string, options?: ReadOptions): Promise<Versioned<T> | undefined>;
  /** The document. Rejects with DocumentNotFoundError if there is none. */
  require(key: string, options?: ReadOptions): Promise<T>;
  /**
   * Changes an existing document. A patch names the members to change (RFC 7396: null removes a member). A function gets the
   * document and returns the new one; it is called again if another write came in between, so nothing written on this node
   * is overwritten unseen. Resolves with the new document. Rejects with DocumentNotFoundError if there is none, and with
   * ConcurrencyError if `ifVersion` does not match or after `updateAttemptsMax` attempts.
   */
  update(key: string, change: Patch<Input> | ((document: T) => Input), options?: WriteOptions): Promise<T>;
  /**
   * Adds `by` (default 1, any finite number) to the number at the path and resolves with the sum. A missing number counts as
   * 0. With the resolver `merge` the number becomes a counter (`{ $counter: … }`), so that concurrent increments on several
   * nodes add up. With any other resolver it stays a plain number, and of two concurrent increments one is lost. Rejects with
   * DocumentNotFoundError if there is no document, with TypeError if the path holds anything but a number or counter.
   */
  increment(key: string, path: CountablePath<Input>, by?: number, options?: WriteOptions): Promise<number>;
  /** Deletes the document. Resolves with false if there was none; then nothing is written. */
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  /**
   * Writes documents, all or none, here and on every node that wants the collection. Rejects with TRANSACTION_TOO_LARGE
   * beyond `transactionDocumentsMax` documents or `transactionBytesMax` bytes.
   */
  putMany(
    documents: Iterable<readonly [key: string, value: Input, options?: Pick<WriteOptions, 'ifVersion'>]>,
    options?: WaitOptions,
  ): Promise<void>;
  /** Deletes documents, all or none. Resolves with the number of documents that existed. */
  deleteMany(keys: Iterable<string>, options?: WaitOptions): Promise<number>;
  /** The stored documents that do not fit the schema, in key order; none without a schema. */
  invalid(options?: WaitOptions): AsyncIterable<InvalidDocument>;
  /**
   * Writes documents of older versions back in the newest shape, slice by slice. Until then they are migrated whenever they
   * are read. Resolves when all documents have been looked at. A signal ends it between two slices.
   */
  migrate(options?: MigrateOptions): Promise<MigrateProgress>;
  /** The versions of the document, the newest last: one, or several after concurrent writes. A delete is a version too. */
  versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]>;
  /**
   * What readers on this node see of the document and saw before, newest first, as far as the `history` option of the
   * collection kept it. Values are as they are stored.
   */
  history(key: string, options?: WaitOptions): Promise<HistoryEntry[]>;
  /**
   * What readers on this node saw at that moment, as it was stored; undefined: no document. Of a moment that a clock showed twice,
   * because it was set back: the newest value that began by then. Rejects with PERSISTENCE_ERROR / HISTORY_FORGOTTEN if the
   * history does not reach back that far.
   */
  at(key: string, time: Moment, options?: WaitOptions): Promise<Document | undefined>;
  /**
   * Writes the value that readers saw before the last change, or at the moment `to`, as a new write; a delete if there was
   * no document then. Rejects with HISTORY_FORGOTTEN if that value is not kept.
   */
  undo(key: string, options?: UndoOptions): Promise<void>;
  /** All keys, in byte order. Documents written meanwhile may be included or not. */
  keys(options?: ScanOptions): AsyncIterable<string>;
  /** All documents, in key order. Documents written meanwhile may be included or not. */
  entries(options?: ScanOptions & ReadOptions): AsyncIterable<[key: string, value: T]>;
  /** Number of documents that fit the filter, including those that do not fit the schema. */
  count(filter?: Filter<Input>, options?: WaitOptions): Promise<number>;
  /** The documents that fit the filter (default: all), in the order of `sort` and then of keys. */
  find(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<T[]>;
  /** As `find`, with keys. */
  findEntries(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<[key: string, value: T][]>;
  /** As `findEntries`, but only these members of each document, nested as in it: `address.city` gives `{ address: { city } }`. */
  findFields(
    fields: readonly Path<Input>[],
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions,
  ): Promise<[key: string, value: Document][]>;
  /**
   * One page of the result, 100 documents or `limit`, and the place where the next one begins. Between two pages nothing is
   * missed or repeated, except documents that moved meanwhile.
   */
  findPage(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions & PageOptions): Promise<Page<T>>;
  /** How `find` would answer the query: with which index, or by looking at every document. */
  explain(filter?: Filter<Input>, options?: FindOptions<Input>): Promise<QueryPlan>;
  /** Builds a query step by step: `where('age').gte(18).sort('-age').limit(20).toArray()`. */
  where<P extends Path<Input>>(path: P): FieldQuery<T, Input, ValueAt<Input, P>>;
  /** The same without a condition: `query().sort('-age').page()`. */
  query(): FluentQuery<T, Input>;
  /**
   * The distinct values at the path in the documents that fit, in sort order. An array contributes its items. Reads stored
   * documents as they are, page by page: writes made meanwhile may be included or not. Rejects with RESULT_TOO_LARGE beyond
   * `groupsMax`.
   */
  distinct(path: Path<Input>, filter?: Filter<Input>, options?: WaitOptions): Promise<JsonValue[]>;
  /** Groups the documents that fit by their values at the paths, with counts and aggregates. Reads as `distinct` does. */
  groupBy(
    by: Path<Input> | readonly Path<Input>[],
    aggregates?: Readonly<Record<string, Aggregate<Path<Input>>>>,
    filter?: Filter<Input>,
    options?: WaitOptions,
  ): Promise<Group[]>;
  /**
   * Makes an index on this node, replacing another one with its name; does nothing if the same index exists. Resolves when it
   * is ready. It is built in the background, which continues after a restart. The types do not check paths with `[]`. Rejects
   * with PERSISTENCE_ERROR / INVALID_INDEX.
   */
  ensureIndex(index: IndexSpec<Path<Input> | `${string}[]${string}`>, options?: EnsureIndexOptions): Promise<IndexInfo>;
  /** Removes an index; false: there was none. Its space in the file is freed in the background. */
  dropIndex(name: string): Promise<boolean>;
  /** The indexes of the collection on this node. */
  indexes(): Promise<IndexInfo[]>;
  /**
   * Changes as they become durable here. The newest state of each changed document comes at least once. Beyond
   * `watchersMax` running loops, the loop throws WATCHERS_FULL. The signal ends the loop with its reason.
   */
  watch(options?: WatchOptions): AsyncIterable<Change<T>>;
  /**
   * The result of `find`, kept current while somebody uses it: first the whole result, then differences. Throws
   * INVALID_FILTER, and LIVE_RESULT_TOO_LARGE if `skip` and `limit` together exceed `liveResultsMax`. The signal ends it.
   */
  live(filter?: Filter<Input>, options?: LiveOptions<T, Input>): LiveQuery<T>;
  /** The result of `count`, kept current in the same way. */
  liveCount(filter?: Filter<Input>, options?: WaitOptions): LiveCount;
  /** One document, kept current in the same way; null while there is none. */
  liveDocument(key: string, options?: WaitOptions): LiveDocument<T>;
}

/** The methods of a collection that are available within a transaction. */
export type TransactionCollection<T extends object = Document, Input extends object = T> = Pick<
  Collection<T, Input>,
  | 'name'
  | 'put'
  | 'add'
  | 'get'
  | 'getVersioned'
  | 'require'
  | 'update'
  | 'increment'
  | 'delete'
  | 'putMany'
  | 'deleteMany'
  | 'keys'
  | 'entries'
  | 'count'
  | 'find'
  | 'findEntries'
>;

/** Reads within a transaction see the committed state of one moment plus its own writes, which nobody else sees before the end. */
export interface Transaction {
  /** The collection as this transaction sees it, with its schema. Throws TypeError for a collection of another database. */
  collection<T extends object, Input extends object>(collection: Collection<T, Input>): TransactionCollection<T, Input>;
  collection<T extends object = Document>(name: string): TransactionCollection<T>;
}

export interface TransactionOptions extends WaitOptions {
  /** Time for all repetitions together once the transaction's turn comes, ms; 0: no limit. Default: TIMES.transactionMs, 5,000. */
  readonly timeoutMs?: number;
}

export interface ConflictOptions extends WaitOptions {
  /** Only conflicts of this collection. Default: of all. */
  readonly collection?: string;
  /** Largest number of conflicts. Default 100. */
  readonly limit?: number;
}

/** One side of a conflict. */
export type ConflictVersion = DocumentVersion;

/**
 * A version that lost to a concurrent one while this node held both, whether or not its author ever learned of it. Each node
 * keeps its own ledger: a node that was away while another resolved the conflict has no entry for it.
 */
export interface Conflict {
  /** Identifies the entry for `restoreConflict`. Ids rise, and are not reused while the entry is kept. */
  readonly id: number;
  /** Wall clock of this node when the two versions met here, ms. */
  readonly at: number;
  readonly collection: string;
  readonly key: string;
  /** The resolver that decided, as `name@revision`. */
  readonly resolver: string;
  /** The nodes that wrote the two versions: their names, or replica ids if no name is known. */
  readonly nodes: readonly string[];
  /** The version that readers do not see. */
  readonly loser: ConflictVersion;
  /** The version that readers see instead. If the resolver combined several versions, the newest of them. */
  readonly winner: ConflictVersion;
}

/**
 * A database on this machine, with or without a network. After `close` every method, also of its collections, fails with
 * PERSISTENCE_ERROR / DATABASE_CLOSED.
 */
export interface Database extends AsyncDisposable {
  /** Human name of this node. */
  readonly nodeId: string;
  /** Files stored beside documents. */
  readonly blobs: Blobs;
  /** A collection with a schema, which gives its types. Throws CONFIG_ERROR / OPTION_INVALID for wrong options. */
  collection<Schema extends StandardSchema<object, object>>(
    name: string,
    options: CollectionOptions<Schema> & { readonly schema: Schema },
  ): Collection<OutputOf<Schema>, InputOf<Schema>>;
  /** A collection without a schema. `T` is what the program knows of its documents; nothing checks it. */
  collection<T extends object = Document>(name: string, options?: CollectionOptions): Collection<T>;
  /**
   * Reads and writes documents of any collections as one step: all writes become visible together, here and on every node
   * that wants these collections, or none does. Transactions on one node run one after another and do not block other
   * writes. If a document or collection that was read changes before the end, `run` is called again, at most
   * `transactionAttemptsMax` times in all; so it should only read and write through its argument. If it throws, nothing is
   * written. Resolves with the result of `run` when the writes are durable here.
   *
   * Rejects with TimeoutError after `timeoutMs`, TRANSACTION_TOO_LARGE beyond `transactionDocumentsMax` or
   * `transactionBytesMax`, CONCURRENCY_CONFLICT after too many repetitions, WRITE_QUEUE_FULL if `transactionsWaitingMax` are
   * already waiting, and TypeError within another transaction. A signal ends waiting and work, up to the commit.
   */
  transaction<Result>(
    run: (tx: Transaction) => Result | Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result>;
  /** All collections that this node knows, also frozen and evicted ones. */
  collections(): CollectionInfo[];
  /** R12: stops wanting a collection. Its documents stay readable but frozen: local writes reject with COLLECTION_NOT_WANTED. */
  narrow(collection: string, options?: WaitOptions): Promise<void>;
  /** R12: wants a collection again, continuing from where it was frozen. A signal ends the waiting for an eviction under way. */
  widen(collection: string, options?: WaitOptions): Promise<void>;
  /**
   * R12: stops wanting a collection and removes its documents from this node only; other nodes keep them. Rejects with
   * SYNC_ERROR / EVICT_REFUSED while this node has writes in it that no other node has confirmed. A signal ends the waiting;
   * the removal, once begun, goes on.
   */
  evict(collection: string, options?: WaitOptions): Promise<void>;
  /**
   * Versions that lost to a concurrent one, newest first. The ledger is bounded by `conflictsMax`, `conflictCharactersMax`
   * and `conflictRetentionMs`: the oldest are forgotten first.
   */
  conflicts(options?: ConflictOptions): Promise<Conflict[]>;
  /** New entries of the ledger as they become durable here. The signal ends the loop with its reason; `close` just ends it. */
  watchConflicts(options?: WaitOptions): AsyncIterable<Conflict>;
  /**
   * Writes the loser of an entry again, as an ordinary write that replaces the current document (a delete, if the loser was
   * one). Resolves when it is durable here. The entry stays. Rejects with PERSISTENCE_ERROR / CONFLICT_NOT_FOUND if there is
   * no such entry, or no longer.
   */
  restoreConflict(id: number, options?: WaitOptions): Promise<void>;
  /** Resolves when every write made before the call is durable here. */
  flush(options?: WaitOptions): Promise<void>;
  /** Finishes accepted writes, then releases everything. Idempotent. */
  close(): Promise<void>;
}
