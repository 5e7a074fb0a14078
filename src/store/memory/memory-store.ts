import { LIMITS } from '../../core/config/index.ts';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import type { IndexDefinition, Query } from '../../core/query/index.ts';
import { type Check, type Fingerprint, FingerprintSum } from '../../core/version/index.ts';
import { SharedSync } from '../shared-sync.ts';
import type {
  Entry,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  KeyRange,
  LogLimits,
  QueryPlan,
  Store,
  StoreBatch,
  StoredDocument,
  StoredIndex,
  StoreIdentity,
  StoreImage,
} from '../store.ts';
import { closedError, documentCorruptError, lostCommitsError } from '../store-errors.ts';
import { type Fault, InjectedFault } from './injected-fault.ts';
import { MemoryTables } from './memory-tables.ts';
import { countFitting, explainScan, runQuery } from './run-query.ts';

export interface MemoryStoreOptions {
  /**
   * What a flush waits for. If it rejects, all commits since the last good flush are undone and the flush rejects.
   * Default: a flush is durable immediately. The simulator passes one that resolves when the virtual disk is done.
   */
  readonly sync?: () => Promise<void>;
  /** Default: the engine's limits (`LIMITS`). */
  readonly limits?: Partial<LogLimits>;
  /** The identity that the store reports at open. Default: new. */
  readonly identity?: StoreIdentity;
}

/**
 * The executable specification of the Store port, on a virtual disk that can be crashed, copied and damaged. A crash keeps
 * exactly the commits that a completed flush covered.
 */
export interface MemoryStore extends Store {
  readonly identity: StoreIdentity;
  /**
   * Rises whenever calls may answer differently than before: with commits, lost commits, loads, damage, and changes of faults. A
   * commit that was refused is refused again while it stays the same.
   */
  readonly revision: number;
  /**
   * Simulates a power cut: what is not durable is lost, pending flushes never settle, and every later call on this object
   * throws DATABASE_CLOSED. Returns the store as it is opened next. `kept` (default 0): how many of the commits that no
   * flush covered survive, oldest first.
   */
  crash(kept?: number): MemoryStore;
  /** The store as it is opened again after `close`. Throws a TypeError if it is not closed. */
  reopen(): MemoryStore;
  /** An image of the disk as readers see it now. `memoryStoreFromSnapshot` can open it any number of times. */
  snapshot(): MemorySnapshot;
  /** Damages a row. `unreadable`: reads fail with DOCUMENT_CORRUPT until it is written or removed. `missing`: it vanishes. */
  damage(collection: CollectionName, key: DocumentKey, kind?: 'unreadable' | 'missing'): void;
  /** Makes the next `count` commits fail without changing anything. 0 ends that; Infinity is a disk that stays full. */
  failCommits(count: number, reason?: Fault): void;
  /** Makes the next `count` flushes fail. */
  failFlushes(count: number, reason?: Fault): void;
}

declare const snapshotBrand: unique symbol;
/** An immutable copy of a memory store's disk. */
export interface MemorySnapshot {
  readonly [snapshotBrand]: true;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new TableStore({ tables: new MemoryTables(), damaged: new Map(), indexes: new Map() }, options);
}

/** A new store on a copy of the image. As for a copied file, its identity is `marker-missing` unless `options` say otherwise. */
export function memoryStoreFromSnapshot(snapshot: MemorySnapshot, options: MemoryStoreOptions = {}): MemoryStore {
  return new TableStore(copyDisk(snapshot as unknown as MemoryDisk), { identity: COPIED, ...options });
}

const NEW: StoreIdentity = { fresh: true, reason: 'new', reservedSeq: 0, reservedPos: 0 };
const SAME: StoreIdentity = { fresh: false, reason: 'same', reservedSeq: 0, reservedPos: 0 };
const COPIED: StoreIdentity = { fresh: true, reason: 'marker-missing', reservedSeq: 0, reservedPos: 0 };

interface MemoryDisk {
  readonly tables: MemoryTables;
  /** Keys of unreadable rows. */
  readonly damaged: Map<CollectionName, Set<DocumentKey>>;
  /** Indexes by collection and name. They do not affect answers. */
  readonly indexes: Map<CollectionName, Map<string, IndexDefinition>>;
}

function copyDisk({ tables, damaged, indexes }: MemoryDisk): MemoryDisk {
  return {
    tables: tables.clone(),
    damaged: new Map([...damaged].map(([collection, keys]) => [collection, new Set(keys)])),
    indexes: copyNested(indexes),
  };
}

function copyNested<K, L, V>(tables: ReadonlyMap<K, ReadonlyMap<L, V>>): Map<K, Map<L, V>> {
  const copy = new Map<K, Map<L, V>>();
  for (const [key, table] of tables) if (table.size > 0) copy.set(key, new Map(table));
  return copy;
}

class TableStore implements MemoryStore {
  readonly supports = { durable: false, indexes: false };
  readonly identity: StoreIdentity;
  readonly #disk: MemoryDisk;
  readonly #options: MemoryStoreOptions;
  readonly #limits: LogLimits;
  readonly #sync: SharedSync;
  #isClosed = false;
  #isCrashed = false;
  #isLoadDue = false;
  #revision = 0;
  #closing: Promise<void> | undefined;
  readonly #commitFault = new InjectedFault('the commit was refused');
  readonly #flushFault = new InjectedFault('the disk refused to make the commits durable');

  constructor(disk: MemoryDisk, options: MemoryStoreOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.identity = options.identity ?? NEW;
    this.#sync = new SharedSync(() => this.#syncOnce());
  }

  get revision(): number {
    return this.#revision + this.#commitFault.revision;
  }

  get #tables(): MemoryTables {
    if (this.#isClosed) throw closedError();
    return this.#disk.tables;
  }

  load(): StoreImage {
    const { head, collections, knowledge, purgeLines, meta } = this.#tables;
    this.#isLoadDue = false;
    this.#revision++;
    return {
      head,
      collections: [...collections.values()].sort((a, b) => compareBytes(a.name, b.name)),
      knowledge: copyNested(knowledge),
      purgeLines: copyNested(purgeLines),
      meta: new Map(meta),
    };
  }

  meta(name: string): string | undefined {
    return this.#tables.meta.get(name);
  }

  commit(batch: StoreBatch): void {
    const tables = this.#tables;
    if (this.#isLoadDue) throw lostCommitsError();
    this.#commitFault.failIfDue();
    this.#revision++;
    tables.apply(batch, this.#limits);
    if (this.#disk.damaged.size > 0) this.#forgetDamage(batch);
  }

  flush(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    return this.#sync.request();
  }

  close(): Promise<void> {
    this.#closing ??= this.flush();
    this.#isClosed = true;
    return this.#closing;
  }

  crash(kept = 0): MemoryStore {
    this.#isCrashed = true;
    this.#isClosed = true;
    this.#disk.tables.revert(kept);
    return new TableStore(this.#disk, { ...this.#options, identity: SAME });
  }

  reopen(): MemoryStore {
    if (!this.#isClosed) throw new TypeError('close the store before it is opened again');
    return new TableStore(this.#disk, { ...this.#options, identity: SAME });
  }

  snapshot(): MemorySnapshot {
    return copyDisk(this.#disk) as unknown as MemorySnapshot;
  }

  damage(collection: CollectionName, key: DocumentKey, kind: 'unreadable' | 'missing' = 'unreadable'): void {
    this.#revision++;
    const keys = this.#disk.damaged.get(collection) ?? new Set();
    if (kind === 'missing') this.#disk.tables.loseDocument(collection, key);
    else this.#disk.damaged.set(collection, keys.add(key));
  }

  failCommits(count: number, reason: Fault = 'DISK_FULL'): void {
    this.#commitFault.set(count, reason);
  }

  failFlushes(count: number, reason: Fault = 'IO_FAILED'): void {
    this.#flushFault.set(count, reason);
  }

  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    const byKey = this.#tables.documents.get(collection)?.byKey;
    return new Set(keys.filter((key) => !key.includes('\u0000') && (byKey?.get(key)?.value ?? null) === null));
  }

  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    const byKey = this.#tables.documents.get(collection)?.byKey;
    return new Set(keys.filter((key) => byKey?.get(key) === undefined));
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    const document = this.#tables.documents.get(collection)?.byKey.get(key);
    return document && this.#readable(document);
  }

  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[] {
    const found: StoredDocument[] = [];
    if (limit <= 0) return found;
    this.#tables.documents.get(collection)?.byKey.forEachAfter(afterKey, (document, key) => {
      if (!except?.has(key)) found.push(document);
      return found.length < limit;
    });
    return this.#allReadable(found);
  }

  changes(afterPos: number, limit: number): StoredDocument[] {
    return this.#allReadable(this.#tables.byPos.valuesAfter(afterPos, limit));
  }

  readonly delta: Store['delta'] = (collection, ...range) => {
    const found = this.#tables.delta(collection, ...range);
    for (const { key } of found) this.#checkReadable(collection, key);
    return found;
  };

  liveReplicas(collection: CollectionName): ReplicaId[] {
    const byDot = this.#tables.documents.get(collection)?.byDot ?? [];
    return [...byDot]
      .filter(([, bySeq]) => bySeq.size > 0)
      .map(([replica]) => replica)
      .sort(compareBytes);
  }

  dead(beforeMs: number, limit: number): StoredDocument[] {
    const found = [...this.#tables.dead].filter((document) => document.deadAt! < beforeMs);
    found.sort((a, b) => a.deadAt! - b.deadAt! || a.pos - b.pos);
    return this.#allReadable(found.slice(0, Math.max(0, limit)));
  }

  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[] {
    return ranges.map((range) => {
      const sum = new FingerprintSum();
      this.#visitRange(collection, range, (document) => {
        for (const version of document.versions) sum.add(version.digest);
      });
      return sum.value();
    });
  }

  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined {
    let left = n;
    let found: DocumentKey | undefined;
    this.#tables.documents.get(collection)?.byKey.forEachAfter(after, (_, key) => {
      if (--left <= 0) found = key;
      return left > 0;
    });
    return found;
  }

  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[] {
    const found: StoredDocument[] = [];
    if (limit > 0) this.#visitRange(collection, range, (document) => found.push(document) < limit);
    return this.#allReadable(found);
  }

  gone(afterPos: number, limit: number): GoneDocument[] {
    return this.#tables.gone.valuesAfter(afterPos, limit);
  }

  goneFrom(): number {
    return this.#tables.goneFrom;
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    return runQuery(this.#visible(collection), query);
  }

  readonly count: Store['count'] = (collection, query) => countFitting(this.#visible(collection), query);
  // A simulation has nothing beside its event loop.
  readonly findAside: Store['findAside'] = (collection, query) => this.find(collection, query);
  readonly countAside: Store['countAside'] = (collection, query) => this.count(collection, query);

  explain(collection: CollectionName, query: Query): QueryPlan {
    return explainScan(query, this.#visible(collection).length);
  }

  indexes(collection: CollectionName): StoredIndex[] {
    const definitions = [...(this.#indexesOf(collection)?.values() ?? [])];
    definitions.sort((a, b) => compareBytes(a.name, b.name));
    return definitions.map((definition) => ({ definition, isReady: true, progress: 1 }));
  }

  addIndex(collection: CollectionName, definition: IndexDefinition): void {
    const indexes = this.#indexesOf(collection) ?? new Map<string, IndexDefinition>();
    this.#disk.indexes.set(collection, indexes.set(definition.name, definition));
  }

  removeIndex(collection: CollectionName, name: string): boolean {
    return this.#indexesOf(collection)?.delete(name) ?? false;
  }

  workOnIndexes(): boolean {
    if (this.#isClosed) throw closedError();
    return false;
  }

  chainCheck(seq: number): Check | undefined {
    return this.#tables.chain.get(seq);
  }

  chainFrom(): number {
    return this.#tables.chain.firstKey() ?? 0;
  }

  entries(space: EntrySpace, afterId: number, limit: number): Entry[] {
    return this.#tables.entries.get(space)?.valuesAfter(afterId, limit) ?? [];
  }

  async #syncOnce(): Promise<void> {
    const tables = this.#disk.tables;
    const covered = tables.undurableCommits;
    try {
      this.#flushFault.failIfDue();
      await this.#options.sync?.();
    } catch (error) {
      if (!this.#isCrashed) tables.revert();
      this.#isLoadDue = true;
      this.#revision++;
      throw error;
    }
    if (this.#isCrashed) return new Promise(() => {});
    tables.markDurable(covered);
  }

  #visible(collection: CollectionName): FoundDocument[] {
    const visible: FoundDocument[] = [];
    this.#tables.documents.get(collection)?.byKey.forEachAfter(null, (document) => {
      if (document.value !== null) visible.push({ key: document.key, value: this.#readable(document).value! });
    });
    return visible;
  }

  #indexesOf(collection: CollectionName): Map<string, IndexDefinition> | undefined {
    if (this.#isClosed) throw closedError();
    return this.#disk.indexes.get(collection);
  }

  #visitRange(collection: CollectionName, range: KeyRange, visit: (document: StoredDocument) => unknown): void {
    const { after, upTo } = range;
    this.#tables.documents.get(collection)?.byKey.forEachAfter(after, (document, key) => {
      if (upTo !== null && compareBytes(key, upTo) > 0) return false;
      return visit(document);
    });
  }

  #readable(document: StoredDocument): StoredDocument {
    this.#checkReadable(document.collection, document.key);
    return document;
  }

  #allReadable(documents: StoredDocument[]): StoredDocument[] {
    if (this.#disk.damaged.size > 0) for (const document of documents) this.#readable(document);
    return documents;
  }

  #checkReadable(collection: CollectionName, key: DocumentKey): void {
    if (this.#disk.damaged.get(collection)?.has(key)) throw documentCorruptError(collection, key);
  }

  #forgetDamage(batch: StoreBatch): void {
    for (const { collection, key } of [...(batch.documents ?? []), ...(batch.removed ?? [])]) {
      this.#disk.damaged.get(collection)?.delete(key);
    }
  }
}
