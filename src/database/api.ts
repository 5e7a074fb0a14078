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

export interface MigrateOptions extends WaitOptions {
  /** Told after each slice. */
  readonly onProgress?: (progress: MigrateProgress) => void;
}

export interface MigrateProgress {
  /** Documents looked at. */
  readonly documents: number;
  /** Of these, written back in the newest shape. */
  readonly migrated: number;
  /** Of these, left as they are, because a migration or the schema refused them. */
  readonly invalid: number;
}

export interface WatchOptions extends WaitOptions {
  /** Token of the last change seen; default: from now on. */
  readonly resume?: string;
}

export interface LiveOptions<T, Input = T> extends FindOptions<Input>, WaitOptions {
  /**
   * A result from before, of this run of the program or one before it: the first update of each iterator says how the
   * result differs from this one. Default: from nothing.
   */
  readonly previous?: readonly LiveEntry<T>[];
  /** Only what comes after this place: the `next` of a page with the same sort. */
  readonly after?: string;
}

/** `reset`: the token is older than the log of removals; read the collection again, then go on. */
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
 * Documents of one collection. Values are plain objects of the caller's own: changing one changes nothing stored. A write
 * resolves when it is durable on this node (Persistence.Durability); reads made after the call see it at once, unless the
 * schema of the collection validates asynchronously.
 *
 * With a schema, writes take its input and throw DOCUMENT_INVALID for what it refuses; reads give its output. Stored
 * documents that it refuses are left out of `find`, `findEntries` and `entries`, and make `get`, `getVersioned` and
 * `require` throw DOCUMENT_INVALID.
 */
export interface Collection<T extends object = Document, Input extends object = T> {
  readonly name: string;
  /** Replaces the whole document. */
  put(key: string, value: Input, options?: WriteOptions): Promise<void>;
  /** Writes a new document and resolves with its key: a UUID (version 7), so that keys of one node sort by time. */
  add(value: Input, options?: WaitOptions): Promise<string>;
  /** Undefined when there is none. */
  get(key: string, options?: ReadOptions): Promise<T | undefined>;
  getVersioned(key: string, options?: ReadOptions): Promise<Versioned<T> | undefined>;
  /** DocumentNotFoundError when there is none. */
  require(key: string, options?: ReadOptions): Promise<T>;
  /**
   * Changes the document that is there: a patch names what is to be different (RFC 7396: null removes a member), a function
   * gets the document and returns the new one, and is called again when another write came between. Nothing that was
   * written on this node is overwritten unseen. Resolves with the new document. DocumentNotFoundError when there is none;
   * ConcurrencyError for `ifVersion`, or after `updateAttemptsMax` times.
   */
  update(key: string, change: Patch<Input> | ((document: T) => Input), options?: WriteOptions): Promise<T>;
  /**
   * Adds `by` (default 1, any finite number) to the number at the path, and resolves with the sum; what is absent counts as
   * 0. With the resolver `merge` it is a counter (`{ $counter: … }`): counting at the same time on several nodes adds up. With any
   * other resolver it is a plain number, and of two concurrent ones one is lost. DocumentNotFoundError when there is no
   * document; TypeError when something else than a number or counter is there.
   */
  increment(key: string, path: CountablePath<Input>, by?: number, options?: WriteOptions): Promise<number>;
  /** False when there was none; then nothing is written. */
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  /** All or nothing, here and on every node that wants the collection; at most `transactionDocumentsMax` documents. */
  putMany(
    documents: Iterable<readonly [key: string, value: Input, options?: Pick<WriteOptions, 'ifVersion'>]>,
    options?: WaitOptions,
  ): Promise<void>;
  /** All or nothing; resolves with how many there were. */
  deleteMany(keys: Iterable<string>, options?: WaitOptions): Promise<number>;
  /** Documents that do not fit the schema, in key order; none without one. */
  invalid(options?: WaitOptions): AsyncIterable<InvalidDocument>;
  /**
   * Writes documents of an older version back in the newest shape, slice by slice; until then they are migrated each time
   * they are read. Resolves when it has seen all of them. A signal ends it between two slices.
   */
  migrate(options?: MigrateOptions): Promise<MigrateProgress>;
  /** The versions that the document consists of: one, or several after concurrent writes, the newest last; a delete is one too. */
  versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]>;
  /**
   * What readers of this node see of the document and saw before, newest first, as far as `history` of the collection's options
   * kept it. Values are as they are stored.
   */
  history(key: string, options?: WaitOptions): Promise<HistoryEntry[]>;
  /**
   * What readers of this node saw at that moment, as it was stored; undefined: no document. PERSISTENCE_ERROR /
   * HISTORY_FORGOTTEN where the history does not reach back so far.
   */
  at(key: string, time: Moment, options?: WaitOptions): Promise<Document | undefined>;
  /**
   * Writes again what readers saw before the last change, or at the moment `to`, as a new write over what is there now; a
   * delete where there was no document. HISTORY_FORGOTTEN where that is not kept.
   */
  undo(key: string, options?: UndoOptions): Promise<void>;
  keys(options?: ScanOptions): AsyncIterable<string>;
  entries(options?: ScanOptions & ReadOptions): AsyncIterable<[key: string, value: T]>;
  /** Documents that do not fit the schema count as well. */
  count(filter?: Filter<Input>, options?: WaitOptions): Promise<number>;
  find(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<T[]>;
  findEntries(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<[key: string, value: T][]>;
  /** `find` with only these members of each document, as they are in it: `address.city` gives `{ address: { city } }`. */
  findFields(
    fields: readonly Path<Input>[],
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions,
  ): Promise<[key: string, value: Document][]>;
  /**
   * A part of the result, 100 documents or `limit`, and where it goes on. Nothing is missed or doubled between two pages but
   * documents that moved meanwhile.
   */
  findPage(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions & PageOptions): Promise<Page<T>>;
  /** How `find` would answer: by which index, or by looking at every document. */
  explain(filter?: Filter<Input>, options?: FindOptions<Input>): Promise<QueryPlan>;
  /** A query step by step: `where('age').gte(18).sort('-age').limit(20).toArray()`. */
  where<P extends Path<Input>>(path: P): FieldQuery<T, Input, ValueAt<Input, P>>;
  /** The same without a condition: `query().sort('-age').page()`. */
  query(): FluentQuery<T, Input>;
  /**
   * What stands at the path in the documents that fit, each value once, in the order of sorting; an array gives its items. Reads
   * stored documents as they are, page by page: writes made meanwhile may be in it or not. RESULT_TOO_LARGE beyond `groupsMax`.
   */
  distinct(path: Path<Input>, filter?: Filter<Input>, options?: WaitOptions): Promise<JsonValue[]>;
  /** Documents that fit, by their values at the paths: how many, and aggregates of them. Reads as `distinct` does. */
  groupBy(
    by: Path<Input> | readonly Path<Input>[],
    aggregates?: Readonly<Record<string, Aggregate<Path<Input>>>>,
    filter?: Filter<Input>,
    options?: WaitOptions,
  ): Promise<Group[]>;
  /**
   * Makes an index on this node, in the place of another one of its name, and resolves when it is ready; nothing is done where
   * there is the same. It is built in the background, and goes on after a restart. Of paths with `[]` the compiler asks nothing.
   * PERSISTENCE_ERROR / INVALID_INDEX.
   */
  ensureIndex(index: IndexSpec<Path<Input> | `${string}[]${string}`>, options?: EnsureIndexOptions): Promise<IndexInfo>;
  /** False: there was none. Its room in the file is given back in the background. */
  dropIndex(name: string): Promise<boolean>;
  indexes(): Promise<IndexInfo[]>;
  /** Changes as they become durable here, each document's newest state at least once. Begun and never ended too often: WATCHERS_FULL. */
  watch(options?: WatchOptions): AsyncIterable<Change<T>>;
  /**
   * The result of `find`, kept current while somebody looks at it: the whole result, then differences. Throws INVALID_FILTER,
   * and LIVE_RESULT_TOO_LARGE when `skip` and `limit` reach over more than `liveResultsMax` documents. The signal ends it.
   */
  live(filter?: Filter<Input>, options?: LiveOptions<T, Input>): LiveQuery<T>;
  /** The result of `count`, kept current likewise. */
  liveCount(filter?: Filter<Input>, options?: WaitOptions): LiveCount;
  /** One document, kept current likewise; null while there is none. */
  liveDocument(key: string, options?: WaitOptions): LiveDocument<T>;
}

/** What a collection can do within a transaction. */
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

/** Reads see what was committed, as of one moment, and the own writes; nobody else sees those before the end. */
export interface Transaction {
  /** The same collection as seen by this transaction, with its schema. */
  collection<T extends object, Input extends object>(collection: Collection<T, Input>): TransactionCollection<T, Input>;
  collection<T extends object = Document>(name: string): TransactionCollection<T>;
}

export interface TransactionOptions extends WaitOptions {
  /** From the turn of the transaction on, all repetitions together; 0: no limit. Default: TIMES.transactionMs. */
  readonly timeoutMs?: number;
}

export interface CollectionInfo {
  readonly name: string;
  readonly documents: number;
  readonly wanted: boolean;
  /** 12 hex digits of the fingerprint: equal on nodes that hold the same versions. */
  readonly fingerprint: string;
}

export interface ConflictOptions extends WaitOptions {
  /** Only those of this collection. Default: all. */
  readonly collection?: string;
  /** Default 100. */
  readonly limit?: number;
}

/** One side of a conflict. */
export type ConflictVersion = DocumentVersion;

/**
 * A version that lost to a concurrent one while this node held both, whether or not its author ever heard of it. Each node
 * keeps its own ledger: one that was away while another settled the conflict has no entry for it.
 */
export interface Conflict {
  /** For `restoreConflict`. Rises; never used again while the entry is kept. */
  readonly id: number;
  /** Wall clock at which this node saw the two meet, ms. */
  readonly at: number;
  readonly collection: string;
  readonly key: string;
  /** Who decided, as `name@revision`. */
  readonly resolver: string;
  /** The nodes whose writes met, by name, or else by replica id. */
  readonly nodes: readonly string[];
  readonly loser: ConflictVersion;
  /** What readers saw instead; where the resolver made one value of several, the newest version in it. */
  readonly winner: ConflictVersion;
}

/**
 * A database on this machine, with or without a network. After `close` every method, those of its collections included,
 * fails with PERSISTENCE_ERROR / DATABASE_CLOSED.
 */
export interface Database extends AsyncDisposable {
  /** Human name of this node. */
  readonly nodeId: string;
  /** Files beside documents. */
  readonly blobs: Blobs;
  /** A collection with a schema; its types are those of the validator. CONFIG_ERROR / OPTION_INVALID. */
  collection<Schema extends StandardSchema<object, object>>(
    name: string,
    options: CollectionOptions<Schema> & { readonly schema: Schema },
  ): Collection<OutputOf<Schema>, InputOf<Schema>>;
  /** A collection of any documents, or of those that the program says it holds. */
  collection<T extends object = Document>(name: string, options?: CollectionOptions): Collection<T>;
  /**
   * Reads and writes documents of any collections as one step: all writes become visible together, here and on every node
   * that wants these collections, or none does. Transactions of one node run one after another, and hold nobody else up:
   * when a document or collection that was read changes before the end, `run` is called again, at most
   * `transactionAttemptsMax` times; so it should do nothing but read and write through its argument. What it throws ends the transaction
   * without a trace. Resolves with what `run` returned, when the writes are durable here.
   *
   * Rejects with TimeoutError after `timeoutMs`, TRANSACTION_TOO_LARGE beyond `transactionDocumentsMax` or `transactionBytesMax`,
   * CONCURRENCY_CONFLICT after too many repetitions, WRITE_QUEUE_FULL when `transactionsWaitingMax` wait already, and
   * with TypeError within another transaction. A signal ends the waiting and the work, up to the commit.
   */
  transaction<Result>(
    run: (tx: Transaction) => Result | Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result>;
  collections(): CollectionInfo[];
  /** R12: stops wanting a collection. Its documents stay readable, frozen: local writes get COLLECTION_NOT_WANTED. */
  narrow(collection: string): Promise<void>;
  /** R12: wants a collection again and goes on from where it was frozen. */
  widen(collection: string): Promise<void>;
  /**
   * R12: stops wanting a collection and removes its documents from this node alone; others keep them. SYNC_ERROR /
   * EVICT_REFUSED while this node has writes in it that no other node has confirmed.
   */
  evict(collection: string): Promise<void>;
  /**
   * Versions that lost to a concurrent one, newest first, bounded by `conflictsMax`, `conflictCharactersMax` and
   * `conflictRetentionMs`: the oldest are forgotten first.
   */
  conflicts(options?: ConflictOptions): Promise<Conflict[]>;
  /** Further entries of the ledger as they become durable here, until the signal, which rejects, or the end of the loop. */
  watchConflicts(options?: WaitOptions): AsyncIterable<Conflict>;
  /**
   * Writes the loser of an entry again, as an ordinary write over what is there now (a delete, where it was one); resolves
   * when it is durable here. The entry stays. PERSISTENCE_ERROR / CONFLICT_NOT_FOUND when there is none, or none any more.
   */
  restoreConflict(id: number, options?: WaitOptions): Promise<void>;
  /** Resolves when every write made before the call is durable here. */
  flush(options?: WaitOptions): Promise<void>;
  /** Finishes accepted writes, then releases everything. Idempotent. */
  close(): Promise<void>;
}
