// Over 400 lines: the store port as one class. The work is in the tables, the log, the checkpointer and the identity keeper.
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, SliceSize, sleep, TURN_MS } from '../../core/clock/index.ts';
import { LIMITS } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { IndexDefinition, Query } from '../../core/query/index.ts';
import type { Check, Fingerprint } from '../../core/version/index.ts';
import { SharedSync } from '../shared-sync.ts';
import type {
  Damage,
  Entry,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  Head,
  KeyRange,
  MaintainableStore,
  QueryPlan,
  StoreBackupOptions,
  StoreBatch,
  StoredDocument,
  StoredIndex,
  StoredVersion,
  StoreIdentity,
  StoreImage,
  StoreManifest,
  StoreStatistics,
} from '../store.ts';
import { closedError, lostCommitsError } from '../store-errors.ts';
import { Checkpointer } from './checkpointer.ts';
import { CommitLogs } from './commit-logs.ts';
import { type ConnectionOptions, openConnection, setRunning } from './connection.ts';
import { withOpenCopy } from './copy-database.ts';
import { streamDamage } from './damage-stream.ts';
import { FilePlaces } from './file-places.ts';
import { HeadWitness } from './head-witness.ts';
import { IdentityKeeper, markerPathOf } from './identity-keeper.ts';
import { IndexCare } from './index-care.ts';
import { Maintenance } from './maintenance.ts';
import type { OwnerLock } from './owner-lock.ts';
import type { RottenIndexError } from './query-runner.ts';
import { RedoFile } from './redo-file.ts';
import { migrate, readPragma } from './schema.ts';
import { SharedRead } from './shared-read.ts';
import { guarded, toStoreError } from './sqlite-errors.ts';
import { type TableLimits, Tables } from './tables.ts';
import { verifyNewest } from './verify-newest.ts';
import { type DataSync, WalFile } from './wal-file.ts';

/** Everything that `openSqliteStore` found out and decided. */
export interface SqliteStoreParts {
  readonly path: string;
  readonly durability: 'full' | 'normal';
  readonly connection: ConnectionOptions;
  readonly machineId: string;
  readonly limits: TableLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lock: OwnerLock;
  readonly dataSync: DataSync;
  readonly found: FoundFiles;
}

/** What was odd about the files at open. */
export type FoundFiles = Pick<StoreIdentity, 'isGone' | 'logsAside'>;

/** Seqs that one durable step reserves with durability `normal`. */
const SEQ_BLOCK = 100_000;
/** Pages given back in one step of `compact`. */
const PAGES_PER_STEP = 256;
/** Documents entered into an index in one step. */
const INDEX_SLICE = { ms: 2 * TURN_MS, min: 16, max: 1024 };
/** What is recorded is settled after so long, so that the file itself is never far behind. */
const SETTLE_MS_MAX = 100;

/** The Store port on one SQLite file. */
export class SqliteStore implements MaintainableStore {
  readonly supports: StoreManifest;
  readonly identity: StoreIdentity;
  readonly damagedAtOpen: readonly { readonly collection: CollectionName; readonly key: DocumentKey }[];
  readonly #parts: SqliteStoreParts;
  readonly #identity: IdentityKeeper;
  readonly #witness: HeadWitness;
  readonly #wal: WalFile;
  readonly #redo: RedoFile;
  readonly #logs: CommitLogs;
  readonly #sync: SharedSync;
  readonly #maintenance: Maintenance;
  readonly #places: FilePlaces;
  readonly #checkpointer: Checkpointer;
  readonly #care: IndexCare;
  readonly #indexSlice = new SliceSize(INDEX_SLICE);
  readonly #sharedRead: SharedRead;
  #db: DatabaseSync;
  #openTables: Tables;
  /** Commits made, and those that the last good sync covered. */
  #commits = 0;
  #syncedCommits = 0;
  #cancelSettling: (() => void) | undefined;
  /** Of the newest commit that moved it. */
  #head: Head | undefined;
  #isLoadDue = false;
  #isRecovering = false;
  #isDisconnected = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts;
    this.supports = {
      durable: true,
      indexes: true,
      isFlushImmediate: !this.#isSynced(),
      lockedMsMax: parts.connection.busyTimeoutMs,
    };
    this.#wal = new WalFile(parts.path, parts.dataSync);
    this.#redo = new RedoFile(parts.path, parts.dataSync, parts.logger);
    this.#logs = new CommitLogs(this.#wal, this.#redo, this.#isSynced());
    this.#maintenance = new Maintenance(parts.clock);
    this.#care = new IndexCare(parts);
    this.#sharedRead = new SharedRead(parts.clock);
    this.#witness = new HeadWitness(markerPathOf(parts.path));
    this.#db = this.#connect();
    this.#places = new FilePlaces(parts.path);
    try {
      migrate(this.#db);
      this.#openTables = new Tables(this.#db, parts.limits, this.#redo);
      const isRedoCut = this.#openTables.transactions.replay();
      this.#checkpointer = new Checkpointer(() => this.#settledFile(), this.#wal, {
        ...parts,
        maintenance: this.#maintenance,
        places: this.#places,
      });
      this.#identity = IdentityKeeper.open(this.#openTables, {
        path: parts.path,
        machineId: parts.machineId,
        nowMs: parts.clock.now(),
        seqBlock: parts.durability === 'full' || !parts.connection.walMode ? 0 : SEQ_BLOCK,
        makeDurable: () => this.#checkpointer.truncate(),
        witness: this.#witness.read(),
        // With durability `full` a power cut may leave records behind one that was torn; none of them was acknowledged.
        isRedoCut: isRedoCut && !this.#isSynced(),
        logger: parts.logger,
      });
      this.#openTables.transactions.restore();
      const onRottenIndex = (error: RottenIndexError): void => this.#care.distrust(error);
      this.damagedAtOpen = verifyNewest(this.#db, this.#openTables, { ...parts, onRottenIndex });
    } catch (error) {
      this.#witness.close();
      this.#db.close();
      throw error;
    }
    this.identity = { ...this.#identity.identity, ...parts.found };
    setRunning(this.#db, parts.connection);
    this.#places.noteLogs();
    this.#sync = new SharedSync(() => this.#syncOnce());
  }

  load(): StoreImage {
    if (this.#isRecovering) throw lostCommitsError();
    const image = this.#read((tables) => tables.load());
    this.#isLoadDue = false;
    return image;
  }

  meta(name: string): string | undefined {
    return this.#read((tables) => tables.meta.getEngine(name));
  }

  commit(batch: StoreBatch): void {
    if (this.#isLoadDue) throw lostCommitsError();
    const { head } = batch;
    const { connection, clock } = this.#parts;
    let isRecorded = false;
    this.#change((tables) => {
      this.#identity.beforeCommit();
      if (head !== undefined) this.#identity.reserve(head);
      // A rollback journal would make every reader wait for an open transaction.
      const mayRecord = connection.walMode && (head === undefined || this.#identity.isKnownLife(head));
      tables.transactions.commit(batch, mayRecord, () => {
        if (head !== undefined) this.#identity.unseal(tables, head);
      });
      isRecorded = tables.transactions.recorded > 0;
      if (!isRecorded) this.#noteSettled();
      else this.#cancelSettling ??= clock.setTimer(SETTLE_MS_MAX, () => this.#settleIdle());
      if (head !== undefined) this.#identity.adopt(head);
    });
    this.#commits++;
    this.#head = head ?? this.#head;
    // A record is its own witness.
    if (!this.#isSynced() && !isRecorded) this.#remember(this.#head);
    this.#checkpointer.noteCommit(1 + (batch.documents?.length ?? 0));
  }

  flush(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    return this.#flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    return this.#read(({ documents }) => documents.unseen(collection, keys));
  }

  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    return this.#read(({ documents }) => documents.absent(collection, keys));
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    return this.#read(({ documents }) => documents.get(collection, key));
  }

  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[] {
    return this.#read(({ documents }) => documents.documents(collection, afterKey, limit, except));
  }

  changes(afterPos: number, limit: number): StoredDocument[] {
    return this.#read(({ documents }) => documents.changes(afterPos, limit));
  }

  delta(collection: CollectionName, replica: ReplicaId, afterSeq: number, limit: number): StoredVersion[] {
    return this.#read(({ documents }) => documents.delta(collection, replica, afterSeq, limit));
  }

  liveReplicas(collection: CollectionName): ReplicaId[] {
    return this.#read(({ documents }) => documents.liveReplicas(collection));
  }

  dead(beforeMs: number, limit: number): StoredDocument[] {
    return this.#read(({ documents }) => documents.dead(beforeMs, limit));
  }

  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[] {
    return this.#read(({ documents }) => documents.fingerprints(collection, ranges));
  }

  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined {
    return this.#read(({ documents }) => documents.nthKey(collection, after, n));
  }

  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[] {
    return this.#read(({ documents }) => documents.inRange(collection, range, limit));
  }

  gone(afterPos: number, limit: number): GoneDocument[] {
    return this.#read(({ gone }) => gone.after(afterPos, limit));
  }

  goneFrom(): number {
    return this.#read(({ gone }) => gone.from());
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    return this.#read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.find(collection, query, isTrusted)),
    );
  }

  count(collection: CollectionName, query: Query): number {
    return this.#read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.count(collection, query, isTrusted)),
    );
  }

  explain(collection: CollectionName, query: Query): QueryPlan {
    return this.#read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.explain(collection, query, isTrusted)),
    );
  }

  indexes(collection: CollectionName): StoredIndex[] {
    return this.#read(({ indexWork }) => indexWork.list(collection));
  }

  addIndex(collection: CollectionName, definition: IndexDefinition): void {
    this.#write((tables) => tables.indexWork.add(collection, definition));
  }

  removeIndex(collection: CollectionName, name: string): boolean {
    return this.#write((tables) => tables.indexWork.remove(collection, name));
  }

  workOnIndexes(): boolean {
    if (this.#read((tables) => !this.#care.isDue(tables))) return false;
    const { clock } = this.#parts;
    const rows = this.#indexSlice.run(
      () => clock.monotonic(),
      (documents) => this.#write((tables) => this.#care.step(tables, documents)),
    );
    this.#checkpointer.noteCommit(rows);
    return true;
  }

  chainCheck(seq: number): Check | undefined {
    return this.#read(({ chain }) => chain.check(seq));
  }

  chainFrom(): number {
    return this.#read(({ chain }) => chain.from());
  }

  entries(space: EntrySpace, afterId: number, limit: number): Entry[] {
    return this.#read(({ entries }) => entries.after(space, afterId, limit));
  }

  checkIntegrity({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Damage> {
    this.#change(({ transactions }) => transactions.settle());
    // The file is read by its name: another one there would be judged as if it were this one.
    this.#places.assertMainHeld();
    return this.#care.watching(streamDamage(this.#maintenance, this.#parts.path, LIMITS.damageListMax, signal));
  }

  async backup(toPath: string, options: StoreBackupOptions = {}): Promise<void> {
    const { signal, overwrite = false, onProgress } = options;
    this.#change(({ transactions }) => transactions.settle());
    const backUp = (path: string): Promise<number> =>
      this.#maintenance.run(
        { kind: 'backup', path, toPath: resolve(toPath), overwrite },
        {
          ...(signal && { signal }),
          onReport: (report) => {
            if (report.kind === 'progress') onProgress?.(report.fraction);
          },
        },
      );
    if (await this.isInPlace()) await backUp(this.#parts.path);
    else await withOpenCopy(this.#db, resolve(toPath), backUp);
  }

  /**
   * Whether the file that is open lies under its name: it may have been removed or replaced. What is written then is gone when the
   * store is closed, but for a `backup`, which is always of what is open.
   */
  isInPlace(): Promise<boolean> {
    return this.#places.isMainHeld();
  }

  /**
   * As `isInPlace`; a lock and logs that somebody removed, who took them for left over, are begun anew, and nothing of them is lost.
   * False also where another process has taken the lock meanwhile.
   */
  async keepInPlace(): Promise<boolean> {
    if (!(await this.isInPlace()) || !(await this.#parts.lock.keep())) return false;
    const isWhole = this.#redo.isInPlace && (await this.#places.areAllHeld());
    if (!isWhole && !this.#isClosed && !this.#isDisconnected && !this.#isRecovering) await this.#renewLogs();
    return true;
  }

  async compact({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (this.statistics().freePages > 0) {
      signal?.throwIfAborted();
      this.#change(() => this.#settledFile().exec(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`));
      this.#redo.taken();
      this.#noteSettled();
      this.#commits++;
      this.#checkpointer.noteCommit(PAGES_PER_STEP);
      await sleep(this.#parts.clock, 0, signal);
    }
    await this.#checkpointer.pause();
    try {
      this.#change(() => this.#checkpointer.truncate());
    } finally {
      this.#checkpointer.resume();
    }
  }

  statistics(): StoreStatistics {
    return this.#read(() => ({
      databaseBytes: readPragma(this.#db, 'page_count') * readPragma(this.#db, 'page_size'),
      walBytes: this.#wal.sizeBytes(),
      freePages: readPragma(this.#db, 'freelist_count'),
    }));
  }

  /** Changes tables that say nothing of replication, in one transaction. */
  #write<T>(run: (tables: Tables) => T): T {
    if (this.#isLoadDue) throw lostCommitsError();
    const result = this.#change((tables) => {
      this.#identity.beforeCommit();
      return tables.transactions.settleWith(() => run(tables));
    });
    this.#noteSettled();
    this.#commits++;
    return result;
  }

  /** Reads, together with the reads around it; errors come out as errors of this library. */
  #read<T>(run: (tables: Tables) => T): T {
    return this.#guarded((tables) => {
      // While commits are recorded, their transaction is open for reads, too.
      if (this.#parts.connection.walMode && tables.transactions.recorded === 0) this.#sharedRead.begin(this.#db);
      return run(tables);
    });
  }

  /** Does anything else with the connection. */
  #change<T>(run: (tables: Tables) => T): T {
    return this.#guarded((tables) => {
      this.#sharedRead.end();
      return run(tables);
    });
  }

  #guarded<T>(run: (tables: Tables) => T): T {
    if (this.#isClosed) throw closedError();
    return guarded(this.#parts.path, () => {
      if (this.#isDisconnected) this.#reconnect();
      const tables = this.#openTables;
      if (tables.transactions.isTakenBack) {
        this.#sharedRead.end();
        tables.transactions.restore();
      }
      return run(tables);
    });
  }

  /** For what works on the file itself rather than through the tables. */
  #settledFile(): DatabaseSync {
    this.#sharedRead.end();
    this.#openTables.transactions.settle();
    return this.#db;
  }

  /** Nobody writes any more for now. What fails here is tried again with the next commit, and is in the redo log meanwhile. */
  #settleIdle(): void {
    this.#cancelSettling = undefined;
    if (this.#isClosed || this.#isDisconnected || this.#isRecovering) return;
    try {
      this.#change(({ transactions }) => transactions.settle());
      this.#logs.settled(false);
    } catch (error) {
      this.#parts.logger.warn({ err: error, path: this.#parts.path }, 'commits stay in the redo log for now');
    }
  }

  /** A commit went into a transaction of SQLite at once, and with it everything that was recorded. */
  #noteSettled(): void {
    this.#cancelSettling?.();
    this.#cancelSettling = undefined;
    this.#logs.settled(true);
  }

  #flush(): Promise<void> {
    const flushed = this.#isSynced() ? this.#sync.request() : Promise.resolve();
    const relief = this.#checkpointer.relief();
    return relief === undefined ? flushed : Promise.all([flushed, relief]).then(() => {});
  }

  /** Whether a commit needs a sync of the log to be what the caller was promised. */
  #isSynced(): boolean {
    const { durability, connection } = this.#parts;
    return durability === 'full' && connection.walMode;
  }

  #remember(head: Head | undefined): void {
    if (head === undefined) return;
    try {
      this.#witness.write(head);
    } catch (error) {
      // The commit stands. A witness that stays behind notices less, and says nothing untrue.
      this.#parts.logger.debug({ err: error, path: this.#parts.path }, 'the head could not be witnessed');
    }
  }

  async #syncOnce(): Promise<void> {
    const covered = this.#commits;
    const head = this.#head;
    if (covered === this.#syncedCommits && !this.#logs.areSuspect) return;
    try {
      await this.#logs.sync();
      this.#syncedCommits = covered;
      this.#remember(head);
    } catch (error) {
      await this.#recover(error);
      throw toStoreError(error, this.#wal.path);
    }
  }

  /** After a failed sync: nothing is believed that was not read back through a new connection. */
  async #recover(error: unknown): Promise<void> {
    this.#isLoadDue = true;
    this.#isRecovering = true;
    this.#head = undefined;
    this.#logs.suspect();
    this.#parts.logger.error({ err: error, path: this.#wal.path }, 'the disk refused to make commits durable');
    await this.#checkpointer.pause();
    try {
      await this.#logs.rewrite();
    } catch {
      // The same disk refused again; the next flush tries to write the logs anew before it acknowledges anything.
    }
    await this.#wal.close();
    this.#sharedRead.end();
    this.#db.close();
    this.#isDisconnected = true;
    this.#isRecovering = false;
    this.#checkpointer.resume();
  }

  /** What they held goes into the main file, durably, and a new connection begins new ones, all in one step. */
  async #renewLogs(): Promise<void> {
    const { path, logger } = this.#parts;
    await this.#checkpointer.pause();
    try {
      if (this.#isClosed || this.#isDisconnected || this.#isRecovering) return;
      this.#change(() => this.#checkpointer.truncate());
      this.#db.close();
      this.#isDisconnected = true;
      const closings = [this.#redo.renew(), this.#wal.renew()];
      this.#reconnect();
      logger.warn(
        { path },
        'logs of the database were removed while it is open; new ones were begun, and nothing is lost',
      );
      await this.#flush();
      await Promise.all(closings.map((close) => close()));
    } catch (error) {
      logger.error(
        { err: error, path },
        'logs of the database were removed while it is open, and cannot be begun anew yet',
      );
    } finally {
      this.#checkpointer.resume();
    }
  }

  /** On a disk that fails altogether this throws, and is tried again with the next call. */
  #reconnect(): void {
    this.#places.assertMainHeld();
    this.#db = this.#connect();
    this.#openTables = new Tables(this.#db, this.#parts.limits, this.#redo);
    this.#openTables.transactions.replay();
    setRunning(this.#db, this.#parts.connection);
    this.#places.noteLogs();
    this.#isDisconnected = false;
  }

  async #close(): Promise<void> {
    const flushed = this.#flush();
    this.#isClosed = true;
    try {
      await flushed;
    } finally {
      await this.#checkpointer.pause();
      await this.#maintenance.close();
      await this.#wal.close();
      this.#cancelSettling?.();
      await this.#redo.close(this.#leaveInOrder());
      this.#witness.close();
      if (this.#db.isOpen) this.#db.close();
      this.#parts.lock.release();
    }
  }

  /** Empty logs and a marker that fits; false where the disk does not allow it, and the next open makes up for it. */
  #leaveInOrder(): boolean {
    try {
      if (this.#isDisconnected) this.#reconnect();
      this.#sharedRead.end();
      this.#openTables.transactions.restore();
      this.#identity.close(this.#openTables);
      return true;
    } catch (error) {
      this.#parts.logger.warn({ err: error, path: this.#parts.path }, 'the database could not be left in order');
      return false;
    }
  }

  #connect(): DatabaseSync {
    return openConnection(this.#parts.path, this.#parts.connection);
  }
}
