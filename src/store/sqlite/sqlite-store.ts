import { resolve } from 'node:path';
import { abortable, type Clock, sleep } from '../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { IndexDefinition, Query } from '../../core/query/index.ts';
import type { Check, Fingerprint } from '../../core/version/index.ts';
import type {
  Damage,
  DocumentName,
  Entry,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  KeyRange,
  LogLimits,
  MaintainableStore,
  QueryPlan,
  Store,
  StoreBackupOptions,
  StoreBatch,
  StoredDocument,
  StoredIndex,
  StoreIdentity,
  StoreImage,
  StoreManifest,
  StoreStatistics,
} from '../store.ts';
import { closedError } from '../store-errors.ts';
import { type AsideLimits, AsideQueries } from './aside-queries.ts';
import { Checkpointer } from './checkpointer.ts';
import type { ConnectionOptions } from './connection.ts';
import { DatabaseFile, type DatabaseFileOptions } from './database-file.ts';
import { DurableCommits } from './durable-commits.ts';
import { type DataSync, HeadWitness, markerPathOf, type OwnerLock, RedoFile, WalFile } from './files/index.ts';
import { IdentityKeeper } from './identity-keeper.ts';
import { IndexCare } from './index-care.ts';
import type { RottenIndexError } from './query/index.ts';
import { readPragma } from './read-pragma.ts';
import type { Tables } from './tables.ts';
import { JobThreads, streamDamage, withOpenCopy } from './threads/index.ts';
import { verifyNewest } from './verify-newest.ts';

/** Everything that `openSqliteStore` has determined. */
export interface SqliteStoreParts {
  readonly path: string;
  readonly durability: 'full' | 'normal';
  readonly connection: ConnectionOptions;
  readonly machineId: string;
  readonly limits: LogLimits & AsideLimits;
  readonly clock: Clock;
  readonly awaitedClock: Clock;
  readonly logger: Logger;
  readonly lock: OwnerLock;
  readonly dataSync: DataSync;
  readonly found: FoundFiles;
  readonly onDamagedEntry: DatabaseFileOptions['onDamagedEntry'];
}

/** What was odd about the files at open. */
export type FoundFiles = Pick<StoreIdentity, 'isGone' | 'logsAside'>;

/** Seqs and change positions reserved in one durable step with durability `normal`. */
const RESERVED_BLOCK = 100_000;
const LEFT = 'the database is left with its logs: keep these files together, and the next start loses nothing';
/** Pages returned to the file system in one step of `compact`. */
const PAGES_PER_STEP = 256;

/** The Store port on one SQLite file. */
export class SqliteStore implements MaintainableStore {
  readonly supports: StoreManifest;
  readonly identity: StoreIdentity;
  readonly damagedAtOpen: readonly DocumentName[];
  readonly #parts: SqliteStoreParts;
  readonly #identity: IdentityKeeper;
  readonly #wal: WalFile;
  readonly #file: DatabaseFile;
  readonly #commits: DurableCommits;
  readonly #threads: JobThreads;
  readonly #checkpointer: Checkpointer;
  readonly #care: IndexCare;
  readonly #aside: AsideQueries;
  #closing: Promise<void> | undefined;

  constructor(parts: SqliteStoreParts) {
    const { path, durability, connection, clock, dataSync, logger } = parts;
    const isSynced = durability === 'full' && connection.walMode;
    this.#parts = parts;
    this.supports = {
      durable: true,
      indexes: true,
      isFlushImmediate: !isSynced,
      lockedMsMax: connection.busyTimeoutMs,
    };
    const wal = new WalFile(path, dataSync, () => this.#file.places.logWrittenOver());
    const redo = new RedoFile(path, dataSync, logger);
    const witness = new HeadWitness(markerPathOf(path));
    const file = new DatabaseFile(parts, redo);
    this.#wal = wal;
    this.#file = file;
    this.#threads = new JobThreads(clock);
    this.#care = new IndexCare(parts);
    this.#aside = new AsideQueries({ ...parts, threads: this.#threads, file, care: this.#care });
    this.#checkpointer = new Checkpointer(() => file.settled(), wal, {
      ...parts,
      threads: this.#threads,
      places: file.places,
      aside: this.#aside,
    });
    this.#commits = new DurableCommits({
      ...parts,
      file,
      wal,
      redo,
      witness,
      isSynced,
      checkpointer: this.#checkpointer,
    });
    try {
      this.#identity = file.change((tables) =>
        IdentityKeeper.open(tables, {
          path,
          machineId: parts.machineId,
          nowMs: clock.now(),
          block: durability === 'full' || !connection.walMode ? 0 : RESERVED_BLOCK,
          makeDurable: () => this.#checkpointer.truncate(),
          witness: witness.read(),
          // With durability `full` a power cut may leave records after a torn one; none of those was acknowledged.
          isRedoCut: file.isRedoCut && !isSynced,
          logger,
        }),
      );
      const onRottenIndex = (error: RottenIndexError): void => this.#care.distrust(error);
      this.damagedAtOpen = file.change((tables, db) => verifyNewest(db, tables, { ...parts, onRottenIndex }));
    } catch (error) {
      witness.close();
      file.close();
      throw error;
    }
    this.identity = { ...this.#identity.identity, ...parts.found };
    file.begin();
  }

  load(): StoreImage {
    return this.#commits.load(() => this.#file.read((tables) => tables.load()));
  }

  meta(name: string): string | undefined {
    return this.#file.read((tables) => tables.meta.getEngine(name));
  }

  commit(batch: StoreBatch): void {
    this.#commits.assertLoaded();
    const { head } = batch;
    const isRecorded = this.#file.change((tables) => {
      this.#identity.beforeCommit();
      if (head !== undefined) this.#identity.reserve(head);
      // A rollback journal would make every reader wait for an open transaction.
      const mayRecord = this.#parts.connection.walMode && (head === undefined || this.#identity.isKnownLife(head));
      tables.transactions.commit(batch, mayRecord, () => {
        if (head !== undefined) this.#identity.unseal(tables, head);
      });
      if (head !== undefined) this.#identity.adopt(head);
      return tables.transactions.recorded > 0;
    });
    this.#commits.committed(head, isRecorded);
    this.#checkpointer.noteCommit(1 + (batch.documents?.length ?? 0));
  }

  flush(): Promise<void> {
    return this.#file.isClosed ? Promise.reject(closedError()) : this.#commits.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    return this.#file.read(({ documents }) => documents.unseen(collection, keys));
  }

  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    return this.#file.read(({ documents }) => documents.absent(collection, keys));
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    return this.#file.read(({ documents }) => documents.get(collection, key));
  }

  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[] {
    return this.#file.read(({ documents }) => documents.documents(collection, afterKey, limit, except));
  }

  changes(afterPos: number, limit: number): StoredDocument[] {
    return this.#file.read(({ documents }) => documents.changes(afterPos, limit));
  }

  readonly delta: Store['delta'] = (...range) => this.#file.read(({ documents }) => documents.delta(...range));

  liveReplicas(collection: CollectionName): ReplicaId[] {
    return this.#file.read(({ documents }) => documents.liveReplicas(collection));
  }

  dead(beforeMs: number, limit: number): StoredDocument[] {
    return this.#file.read(({ documents }) => documents.dead(beforeMs, limit));
  }

  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[] {
    return this.#file.read(({ documents }) => documents.fingerprints(collection, ranges));
  }

  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined {
    return this.#file.read(({ documents }) => documents.nthKey(collection, after, n));
  }

  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[] {
    return this.#file.read(({ documents }) => documents.inRange(collection, range, limit));
  }

  gone(afterPos: number, limit: number): GoneDocument[] {
    return this.#file.read(({ gone }) => gone.after(afterPos, limit));
  }

  goneFrom(): number {
    return this.#file.read(({ gone }) => gone.from());
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    return this.#file.read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.find(collection, query, isTrusted)),
    );
  }

  count(collection: CollectionName, query: Query): number {
    return this.#file.read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.count(collection, query, isTrusted)),
    );
  }

  readonly findAside: Store['findAside'] = (...query) => this.#aside.find(...query);

  readonly countAside: Store['countAside'] = (...query) => this.#aside.count(...query);

  explain(collection: CollectionName, query: Query): QueryPlan {
    return this.#file.read(({ queries }) =>
      this.#care.withTrusted((isTrusted) => queries.explain(collection, query, isTrusted)),
    );
  }

  indexes(collection: CollectionName): StoredIndex[] {
    return this.#file.read(({ indexWork }) => indexWork.list(collection));
  }

  addIndex(collection: CollectionName, definition: IndexDefinition): void {
    this.#write((tables) => tables.indexWork.add(collection, definition));
  }

  removeIndex(collection: CollectionName, name: string): boolean {
    return this.#write((tables) => tables.indexWork.remove(collection, name));
  }

  workOnIndexes(): boolean {
    if (this.#file.read((tables) => !this.#care.isDue(tables))) return false;
    this.#checkpointer.noteCommit(this.#care.step((run) => this.#write(run)));
    return true;
  }

  chainCheck(seq: number): Check | undefined {
    return this.#file.read(({ chain }) => chain.check(seq));
  }

  chainFrom(): number {
    return this.#file.read(({ chain }) => chain.from());
  }

  entries(space: EntrySpace, afterId: number, limit: number): Entry[] {
    return this.#file.read(({ entries }) => entries.after(space, afterId, limit));
  }

  checkIntegrity({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Damage> {
    this.#file.change(({ transactions }) => transactions.settle());
    this.#file.places.assertMainHeld();
    return this.#care.watching(streamDamage(this.#threads, this.#parts.path, signal));
  }

  async backup(toPath: string, options: StoreBackupOptions = {}): Promise<void> {
    const { signal, overwrite = false, onProgress } = options;
    this.#file.change(({ transactions }) => transactions.settle());
    const writer = this.#file.read(({ state }) => state.head()?.replica) ?? 'new';
    const backUp = (path: string): Promise<number> =>
      this.#threads.run(
        { kind: 'backup', path, toPath: resolve(toPath), writer, overwrite },
        {
          ...(signal && { signal }),
          onReport: (report) => {
            if (report.kind === 'progress') onProgress?.(report.fraction);
          },
        },
      );
    if (await this.isInPlace()) await backUp(this.#parts.path);
    else await withOpenCopy(this.#file.settled(), resolve(toPath), backUp);
  }

  /** Whether other content was written over the open file. What the logs do not hold is lost then, also for a `backup`. */
  get isWrittenOver(): boolean {
    return this.#file.places.isWrittenOver;
  }

  /** Whether it was not, and the file still lies under its name. Otherwise all writes are lost at close, but not for a `backup`. */
  isInPlace(): Promise<boolean> {
    return this.#file.places.isMainHeld();
  }

  /** As `isInPlace`. Replaces a lock file and logs that somebody removed; nothing in them is lost. False also if the lock was taken. */
  async keepInPlace(): Promise<boolean> {
    await this.#wal.pendingBytes().catch(() => {});
    if (this.isWrittenOver) this.#identity.disown();
    if (!(await this.isInPlace()) || !(await this.#parts.lock.keep())) return false;
    await this.#commits.keepLogs();
    return true;
  }

  async compact({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#file.places.mayShrink();
    while (this.statistics().freePages > 0) {
      this.#file.change(() => this.#file.settled().exec(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`));
      this.#commits.committedAside();
      this.#checkpointer.noteCommit(PAGES_PER_STEP);
      await sleep(this.#parts.awaitedClock, 0, signal);
    }
    // The store's own checks and backups are waited for, rather than reported as another program.
    await this.#checkpointer.pause();
    while (this.#threads.isReading) {
      this.#checkpointer.resume();
      await abortable(this.#threads.readingDone(), signal);
      await this.#checkpointer.pause();
    }
    try {
      this.#file.change(() => this.#checkpointer.truncate());
    } finally {
      this.#checkpointer.resume();
    }
  }

  statistics(): StoreStatistics {
    return this.#file.read((_tables, db) => ({
      databaseBytes: readPragma(db, 'page_count') * readPragma(db, 'page_size'),
      walBytes: this.#wal.sizeBytes(),
      freePages: readPragma(db, 'freelist_count'),
    }));
  }

  /** Changes tables that are no part of replication, in one transaction. */
  #write<T>(run: (tables: Tables) => T): T {
    this.#commits.assertLoaded();
    const result = this.#file.change((tables) => {
      this.#identity.beforeCommit();
      return tables.transactions.settleWith(() => run(tables));
    });
    this.#commits.committed(undefined, false);
    return result;
  }

  async #close(): Promise<void> {
    const flushed = this.#commits.flush();
    this.#file.shut();
    this.#aside.close();
    try {
      await flushed;
    } finally {
      await this.#checkpointer.pause();
      await this.#threads.close();
      await this.#commits.close(() => this.#leaveInOrder());
      this.#file.close();
      this.#parts.lock.release();
    }
  }

  /**
   * Leaves empty logs and a marker that fits. False: the disk prevents it, or the file was moved away. It gets what its logs hold, but
   * marker and redo log in its old place may belong to another database by now. A file that was written over stays as it is.
   */
  #leaveInOrder(): boolean {
    const { isMainHeldNow: isInPlace } = this.#file.places;
    try {
      if (this.isWrittenOver) this.#identity.disown();
      else this.#file.last((tables) => (isInPlace ? this.#identity.close(tables) : this.#checkpointer.truncate()));
      return isInPlace;
    } catch (error) {
      this.#parts.logger.warn({ err: error, path: this.#parts.path }, LEFT);
      return false;
    }
  }
}
