import type { JsonObject } from '../core/query/index.ts';
import type { LiveCount, LiveDocument, LiveEntry, LiveQuery } from './live/index.ts';

/**
 * A document: a JSON object. A type parameter may be any object type, so that interfaces fit too; what is no JSON object is
 * refused when it is written.
 */
export type Document = JsonObject;

export interface WaitOptions {
  /** Stops the waiting, never work that has begun; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

export interface ScanOptions extends WaitOptions {
  /** Only keys behind this one, in byte order. Default: from the first. */
  readonly after?: string;
}

export interface WriteOptions extends WaitOptions {
  /**
   * Token of the version that the write is meant to replace, as `getVersioned` returns it; null: there must be no document.
   * Otherwise ConcurrencyError, with the current token. Only this node is asked: a concurrent write elsewhere is a conflict
   * for the resolver, not an error.
   */
  readonly ifVersion?: string | null;
}

export interface FindOptions {
  /** 1 ascending, -1 descending; by several fields in the order given. Ties are broken by key. */
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  /** Default 0. */
  readonly skip?: number;
  /** Default: all. */
  readonly limit?: number;
}

/** A document with its place and the token for `ifVersion`. */
export interface Versioned<T> {
  readonly key: string;
  readonly value: T;
  readonly version: string;
}

export interface WatchOptions extends WaitOptions {
  /** Token of the last change seen; default: from now on. */
  readonly resume?: string;
}

export interface LiveOptions<T> extends FindOptions, WaitOptions {
  /**
   * A result from before, of this run of the program or one before it: the first update of each iterator says how the
   * result differs from this one. Default: from nothing.
   */
  readonly previous?: readonly LiveEntry<T>[];
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
  | { readonly kind: 'reset'; readonly resume: string };

/**
 * Documents of one collection. Values are plain objects of the caller's own: changing one changes nothing stored. A write
 * resolves when it is durable on this node (Persistence.Durability); reads made after the call see it at once.
 */
export interface Collection<T extends object = Document> {
  readonly name: string;
  put(key: string, value: T, options?: WriteOptions): Promise<void>;
  /** Undefined when there is none. */
  get(key: string, options?: WaitOptions): Promise<T | undefined>;
  getVersioned(key: string, options?: WaitOptions): Promise<Versioned<T> | undefined>;
  /** DocumentNotFoundError when there is none. */
  require(key: string, options?: WaitOptions): Promise<T>;
  /** False when there was none; then nothing is written. */
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  /** All or nothing, here and on every node that wants the collection; at most `transactionDocumentsMax` documents. */
  putMany(documents: Iterable<readonly [key: string, value: T]>, options?: WaitOptions): Promise<void>;
  /** All or nothing; resolves with how many there were. */
  deleteMany(keys: Iterable<string>, options?: WaitOptions): Promise<number>;
  /** The versions that the document consists of: one, or several after concurrent writes, the newest last; a delete is one too. */
  versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]>;
  keys(options?: ScanOptions): AsyncIterable<string>;
  entries(options?: ScanOptions): AsyncIterable<[key: string, value: T]>;
  count(filter?: object, options?: WaitOptions): Promise<number>;
  find(filter?: object, options?: FindOptions & WaitOptions): Promise<T[]>;
  findEntries(filter?: object, options?: FindOptions & WaitOptions): Promise<[key: string, value: T][]>;
  /** Changes as they become durable here, from this node and from others, each document's newest state at least once. */
  watch(options?: WatchOptions): AsyncIterable<Change<T>>;
  /**
   * The result of `find`, kept current while somebody looks at it: the whole result, then differences. Throws INVALID_FILTER,
   * and LIVE_RESULT_TOO_LARGE when `skip` and `limit` reach over more than `liveResultsMax` documents. The signal ends it.
   */
  live(filter?: object, options?: LiveOptions<T>): LiveQuery<T>;
  /** The result of `count`, kept current likewise. */
  liveCount(filter?: object, options?: WaitOptions): LiveCount;
  /** One document, kept current likewise; null while there is none. */
  liveDocument(key: string, options?: WaitOptions): LiveDocument<T>;
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

/** A version of a document: one write of it. */
export interface DocumentVersion {
  /** Human name of the node that wrote it; null where this node never met it. */
  readonly node: string | null;
  readonly replica: string;
  /** The name of the write: replica and its number there. */
  readonly dot: string;
  /** Wall clock of its author, ms. */
  readonly writtenAt: number;
  /** What it said; null: it deleted the document. */
  readonly value: Document | null;
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
  collection<T extends object = Document>(name: string): Collection<T>;
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
