import { abortable, type Clock, LoopShare, TURN_MS } from '../core/clock/index.ts';
import type { Limits } from '../core/config/index.ts';
import { PersistenceError } from '../core/errors/index.ts';
import {
  type CollectionName,
  type DocumentKey,
  isReserved,
  parseCollectionName,
  type ReplicaId,
} from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { merge } from '../core/merge/index.ts';
import type { Query } from '../core/query/index.ts';
import type { FoundDocument, QueryPlan, StoredDocument } from '../store/index.ts';
import type {
  Change,
  Collection,
  Conflict,
  ConflictOptions,
  Database,
  Transaction,
  TransactionOptions,
  WatchOptions,
} from './api.ts';
import { BackgroundWork, type BackgroundWorkDeps } from './background-work.ts';
import { LocalBlobs } from './blobs/index.ts';
import type { DocumentCache } from './cache/index.ts';
import { type CollectionHost, LocalCollection } from './collection.ts';
import { Conflicts } from './conflicts.ts';
import { DamageReports } from './damage-reports.ts';
import type { Document, WaitOptions } from './document-api.ts';
import type { Eventually } from './eventually.ts';
import { OlderDocuments } from './evolution/index.ts';
import { ChangeFeeds } from './feed/index.ts';
import type { HistoryLog } from './history/index.ts';
import { LiveQueries } from './live/index.ts';
import { IndexedWrites, IndexKeeper, StoreQueries } from './query/index.ts';
import type { LocalWrite, Replica } from './replica/index.ts';
import type { CollectionOptions, Definitions, InputOf, OutputOf, StandardSchema } from './schema/index.ts';
import { Transactions, type WholeCommit } from './transaction/index.ts';
import { transactionOn } from './transaction-collections.ts';
import { Turns } from './turns.ts';
import { type CollectionInfo, Wants } from './wants.ts';
import { type Existed, type Guard, Writer } from './writer.ts';

/** Rows read at a time by `keys` and `entries`. */
const SCAN_ROWS_MAX = 100;

export interface LocalDatabaseParts extends Omit<BackgroundWorkDeps, 'onDamage'> {
  readonly nodeId: string;
  /** Human name of the node that writes or wrote under this replica id; null if it is not known. */
  readonly nodeOf: (replica: ReplicaId) => string | null;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly cache: DocumentCache;
  readonly replica: Replica;
  readonly definitions: Definitions;
  readonly newKey: () => DocumentKey;
  readonly history: HistoryLog;
  /** The names in `Sync.Collections`; null: every collection. */
  readonly syncCollections: ReadonlySet<CollectionName> | null;
  /** Throws if all local writes are refused. */
  readonly assertWritable: () => void;
  /** R11: called for a row that cannot be read. The read fails with the same error; repair is up to the receiver. */
  readonly onDamage: (collection: CollectionName, key: DocumentKey, error: unknown) => void;
}

/** The public database on top of an engine, made by `openLocalDatabase`. */
export class LocalDatabase implements Database, CollectionHost {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly cache: DocumentCache;
  /** The engine, for sync and services. Call `commitPending` before looking at it. */
  readonly replica: Replica;
  readonly feeds: ChangeFeeds;
  readonly live: LiveQueries;
  readonly turns: Turns;
  readonly loopShare: LoopShare;
  readonly workShare: LoopShare;
  readonly blobs: LocalBlobs;
  readonly history: HistoryLog;
  /** The definitions that the program gave of its collections. */
  readonly definitions: Definitions;
  readonly indexKeeper: IndexKeeper;
  readonly wants: Wants;
  readonly #parts: LocalDatabaseParts;
  readonly #writer: Writer;
  readonly #background: BackgroundWork;
  readonly #conflicts: Conflicts;
  readonly #transactions: Transactions;
  readonly #older = new OlderDocuments();
  readonly #damage: DamageReports;
  readonly #queries: StoreQueries;
  readonly #indexed: IndexedWrites;
  #closing: Promise<void> | undefined;

  constructor(parts: LocalDatabaseParts) {
    this.#parts = parts;
    ({
      nodeId: this.nodeId,
      clock: this.clock,
      limits: this.limits,
      logger: this.logger,
      cache: this.cache,
      replica: this.replica,
      history: this.history,
      definitions: this.definitions,
    } = parts);
    this.wants = new Wants(this.replica, parts.syncCollections);
    this.turns = new Turns(this.limits.writeQueueMax);
    const share = { clock: this.replica.awaitedClock, soon: parts.soon };
    this.loopShare = new LoopShare(share);
    this.workShare = new LoopShare({ ...share, shareMs: 2 * TURN_MS });
    this.#damage = new DamageReports(this.logger, parts.onDamage);
    const onDamage = (error: unknown): void => this.#damage.report(error);
    this.#writer = new Writer({ replica: this.replica, limits: this.limits, loopShare: this.loopShare, onDamage });
    this.feeds = new ChangeFeeds({
      replica: this.replica,
      watchersMax: this.limits.watchersMax,
      page: { rowsMax: this.limits.watchBufferMax, charactersMax: this.limits.watchBufferCharactersMax },
      soon: parts.soon,
      assertOpen: () => this.assertOpen(),
      onDamage,
    });
    this.#queries = new StoreQueries(this, this.#damage);
    this.live = new LiveQueries(this);
    this.blobs = new LocalBlobs(this);
    this.#background = new BackgroundWork({ ...parts, onDamage });
    this.indexKeeper = new IndexKeeper({ ...parts, store: this.replica.store, onDamage });
    this.#indexed = new IndexedWrites(this.indexKeeper, { ...parts, damage: this.#damage, writer: this.#writer });
    this.#transactions = new Transactions(this, (writes, guard) => this.#commitWhole(writes, guard));
    this.#conflicts = new Conflicts(this);
    this.#follow(parts.onSessionsVoid);
    this.#background.start();
    this.indexKeeper.start();
  }

  /** Number of writes that are accepted but not durable yet. */
  get waitingWrites(): number {
    return this.#writer.waiting;
  }

  /** Number of running iterators of `watch`. */
  get watchers(): number {
    return this.feeds.running;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  collection<Schema extends StandardSchema<object, object>>(
    name: string,
    options: CollectionOptions<Schema> & { readonly schema: Schema },
  ): Collection<OutputOf<Schema>, InputOf<Schema>>;
  collection<T extends object = Document>(name: string, options?: CollectionOptions): Collection<T>;
  collection(name: string, options?: CollectionOptions): Collection {
    this.assertOpen();
    const collection = openName(name);
    const { definitions } = this;
    if (options === undefined) return new LocalCollection(this, collection, definitions.codec(collection));
    const before = definitions.resolverOf(collection);
    const codec = definitions.define(collection, options);
    if (definitions.resolverOf(collection) !== before) this.#background.startSoon();
    if (options.indexes !== undefined) this.indexKeeper.declare(collection, options.indexes);
    return new LocalCollection(this, collection, codec);
  }

  async transaction<Result>(
    run: (tx: Transaction) => Result | Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    this.assertOpen();
    return this.#transactions.run((host) => run(transactionOn(host, (name) => this.definitions.codec(name))), options);
  }

  collections(): CollectionInfo[] {
    this.commitPending();
    return this.wants.collections();
  }

  async narrow(collection: string, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.commitPending();
    this.#background.narrow(parseCollectionName(collection));
    await abortable(this.replica.flush(), signal);
  }

  async widen(collection: string, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.commitPending();
    const name = parseCollectionName(collection);
    this.wants.assertNamed(name);
    await abortable(this.#background.widen(name), signal);
    await abortable(this.replica.flush(), signal);
  }

  async evict(collection: string, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.commitPending();
    await abortable(this.#background.evict(parseCollectionName(collection)), signal);
  }

  async conflicts(options: ConflictOptions = {}): Promise<Conflict[]> {
    return this.#conflicts.list(options);
  }

  watchConflicts(options: WaitOptions = {}): AsyncIterable<Conflict> {
    return this.#conflicts.watch(options);
  }

  async restoreConflict(id: number, options: WaitOptions = {}): Promise<void> {
    await this.#conflicts.restore(id, options);
  }

  async flush(options?: WaitOptions): Promise<void> {
    this.assertOpen();
    options?.signal?.throwIfAborted();
    await abortable(this.#writer.flush(), options?.signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes every write accepted so far visible in the replica and its store. */
  commitPending(): void {
    this.assertOpen();
    this.#writer.commitPending();
  }

  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<Existed> {
    this.#assertWritable(collection);
    return this.#writer.write({ writes }, this.#indexed.check(collection, writes));
  }

  /** Commits a transaction over any collections within the call, unless another program has locked the database. */
  #commitWhole(writes: readonly LocalWrite[], guard: Guard): WholeCommit {
    const parts = Map.groupBy(writes, ({ collection }) => collection);
    for (const collection of parts.keys()) this.#assertWritable(collection);
    const durable = this.#writer.write({ writes }, this.#indexed.checkWhole(parts, guard));
    this.#writer.commitPending();
    return { durable, isWaiting: this.#writer.isLocked };
  }

  lookForOlder(collection: CollectionName, version: number, signal?: AbortSignal): Eventually<void> {
    return this.#older.lookFor(collection, version, (query) => this.findAside(collection, query, signal));
  }

  hasOlder(collection: CollectionName, version: number): boolean {
    return this.#older.has(collection, version, (query) => this.find(collection, query));
  }

  newKey(): DocumentKey {
    return this.#parts.newKey();
  }

  counterOf(collection: CollectionName): ReplicaId | undefined {
    return this.definitions.resolverOf(collection) === merge ? this.replica.id : undefined;
  }

  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    this.assertOpen();
    this.#writer.commitPendingOf(collection, key);
    return this.cache.row(collection, key, true) ?? this.#damage.of(() => this.replica.get(collection, key));
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    return this.#queries.find(collection, query);
  }

  findAside(collection: CollectionName, query: Query, signal?: AbortSignal): Eventually<FoundDocument[]> {
    return this.#queries.findAside(collection, query, signal);
  }

  count(collection: CollectionName, query: Query): number {
    return this.#queries.count(collection, query);
  }

  countAside(collection: CollectionName, query: Query, signal?: AbortSignal): Eventually<number> {
    return this.#queries.countAside(collection, query, signal);
  }

  explain(collection: CollectionName, query: Query): QueryPlan {
    return this.#queries.explain(collection, query);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.soon(resolve));
  }

  async *scan(
    collection: CollectionName,
    signal?: AbortSignal,
    afterKey: DocumentKey | null = null,
  ): AsyncGenerator<readonly StoredDocument[]> {
    for (let after = afterKey; ; ) {
      signal?.throwIfAborted();
      this.commitPending();
      const page: readonly StoredDocument[] = this.#damage.of(() =>
        this.replica.store.documents(collection, after, SCAN_ROWS_MAX),
      );
      yield page;
      if (page.length < SCAN_ROWS_MAX) return;
      after = page.at(-1)!.key;
      await this.turn();
    }
  }

  watch<T>(collection: CollectionName, options: WatchOptions): AsyncIterableIterator<Change<T>, undefined> {
    return this.feeds.watch<T>(collection, options);
  }

  nodeOf(replica: ReplicaId): string | null {
    return this.replica.ownIds().includes(replica) ? this.nodeId : this.#parts.nodeOf(replica);
  }

  #follow(onSessionsVoid: LocalDatabaseParts['onSessionsVoid']): void {
    this.replica.onCommit(({ changed }) => this.#older.committed(changed));
    this.replica.onCommit(({ changed }) => this.indexKeeper.committed(changed.length));
    this.replica.onReload((cause) => {
      this.#older.forget();
      this.logger.error({ err: cause }, 'the disk lost the latest commits; what was not acknowledged is gone');
      onSessionsVoid('restored');
    });
  }

  async #close(): Promise<void> {
    this.feeds.close();
    this.live.close();
    this.#conflicts.close();
    this.#background.stop();
    this.indexKeeper.stop();
    try {
      await this.#writer.drain();
    } finally {
      await this.replica.store.close();
    }
  }

  #assertWritable(collection: CollectionName): void {
    this.assertOpen();
    this.#parts.assertWritable();
    this.wants.assert(collection);
  }

  /** Throws DATABASE_CLOSED once `close` was called. */
  assertOpen(): void {
    if (this.#closing !== undefined)
      throw new PersistenceError('DATABASE_CLOSED', 'the database is closed; open it again');
  }
}

function openName(text: string): CollectionName {
  const name = parseCollectionName(text);
  if (!isReserved(name)) return name;
  throw new PersistenceError(
    'INVALID_NAME',
    `collection ${JSON.stringify(name)} belongs to the database itself; choose a name that does not begin with $`,
    { details: { collection: name } },
  );
}
