import type { DatabaseSync } from 'node:sqlite';
import type { DamagedEntry, LogLimits, StoreBatch, StoreImage } from '../store.ts';
import type { RedoFile } from './files/index.ts';
import { QueryRunner } from './query/index.ts';
import {
  ChainRows,
  type CollectionDictionary,
  createCollectionDictionary,
  createReplicaDictionary,
  DocumentTable,
  EntryTable,
  GoneTable,
  IndexTable,
  IndexWork,
  MetaTable,
  type ReplicaDictionary,
  StateRows,
  StateTable,
} from './tables/index.ts';
import { Transactions } from './transactions.ts';

/** All tables over one connection. */
export class Tables {
  readonly documents: DocumentTable;
  readonly indexes: IndexTable;
  readonly indexWork: IndexWork;
  readonly queries: QueryRunner;
  readonly state: StateTable;
  readonly chain: ChainRows;
  readonly gone: GoneTable;
  readonly entries: EntryTable;
  readonly meta: MetaTable;
  readonly transactions: Transactions;
  readonly #stateRows: StateRows;
  readonly #dictionaries: readonly (CollectionDictionary | ReplicaDictionary)[];
  readonly #resets: readonly { reset(): void }[];
  readonly #db: DatabaseSync;

  /** Without `redo`, every commit is a transaction of SQLite. `onDamagedEntry`: called for each that a read left out; default: nothing. */
  constructor(
    db: DatabaseSync,
    limits: LogLimits,
    redo?: RedoFile,
    onDamagedEntry: (entry: DamagedEntry) => void = () => {},
  ) {
    const collections = createCollectionDictionary(db);
    const replicas = createReplicaDictionary(db);
    this.indexes = new IndexTable(db);
    this.documents = new DocumentTable(db, collections, replicas, this.indexes);
    this.indexWork = new IndexWork(this.indexes, this.documents, collections, (collection) =>
      this.state.versionsOf(collection),
    );
    this.queries = new QueryRunner(db, this.documents, this.indexes, collections);
    this.#stateRows = new StateRows(db);
    this.state = new StateTable(this.#stateRows, collections, replicas);
    this.chain = new ChainRows(db, this.#stateRows, limits.chainLengthMax);
    this.meta = new MetaTable(db);
    this.gone = new GoneTable(db, collections, this.meta, limits.goneLogMax);
    this.entries = new EntryTable(db, onDamagedEntry);
    this.#dictionaries = [collections, replicas];
    this.#resets = [this.indexes, this.documents, this.#stateRows, this.state, this.chain, this.gone];
    this.#db = db;
    this.transactions = new Transactions({
      db,
      redo,
      meta: this.meta,
      apply: (batch) => this.apply(batch),
      finish: () => this.#stateRows.write(),
      reset: () => this.#reset(),
    });
  }

  load(): StoreImage {
    return { ...this.state.read(), meta: this.meta.engine() };
  }

  /** Steps that each read one of the small tables completely and throw if it is damaged. */
  smallTableChecks(): (() => unknown)[] {
    return [
      () => this.#stateRows.verify(),
      () => this.meta.engine(),
      () => this.gone.after(0, Number.POSITIVE_INFINITY),
      () => this.indexes.rows.all(),
    ];
  }

  /** Runs a read as of one moment, whatever another connection writes meanwhile. Nothing read earlier is reused. */
  reading<T>(run: () => T): T {
    this.#forgetRead();
    this.#db.exec('BEGIN');
    try {
      return run();
    } finally {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#forgetRead();
    }
  }

  /** Names are never removed from dictionaries, so only new ones need to be read. */
  #forgetRead(): void {
    for (const names of this.#dictionaries) names.refresh();
    for (const table of this.#resets) table.reset();
  }

  #reset(): void {
    for (const names of this.#dictionaries) names.reset();
    for (const table of this.#resets) table.reset();
  }

  apply(batch: StoreBatch): void {
    if (batch.head !== undefined) this.state.putHead(batch.head);
    if (batch.resetChain) this.chain.clear();
    if (batch.chain && batch.head !== undefined) this.chain.add(batch.head.seq, batch.head.check);
    for (const row of batch.removed ?? []) {
      this.documents.remove(row.collection, row.key);
      this.gone.add(row);
    }
    this.gone.trim();
    this.indexWork.letFallBehind(batch.documents ?? []);
    this.documents.putAll(batch.documents ?? []);
    for (const row of batch.collections ?? []) this.state.putCollection(row);
    for (const name of batch.forget ?? []) this.state.forget(name);
    for (const row of batch.knowledge ?? []) this.state.putKnown(row);
    for (const row of batch.purged ?? []) this.state.putPurged(row);
    for (const [name, text] of batch.meta ?? []) this.meta.setEngine(name, text);
    for (const row of batch.entries ?? []) this.entries.put(row);
  }
}
