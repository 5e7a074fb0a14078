import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoreBatch, StoreImage } from '../store.ts';
import { createCollectionDictionary, createReplicaDictionary } from './dictionary.ts';
import { DocumentTable } from './document-table.ts';
import { GoneTable } from './gone-table.ts';
import { EntryTable, MetaTable } from './side-tables.ts';
import { StateTable } from './state-table.ts';

/** How much of the bounded logs is kept. */
export interface TableLimits {
  readonly chainLengthMax: number;
  readonly goneLogMax: number;
}

/** All tables over one connection. */
export class Tables {
  readonly documents: DocumentTable;
  readonly state: StateTable;
  readonly gone: GoneTable;
  readonly entries: EntryTable;
  readonly meta: MetaTable;
  readonly #resets: readonly { reset(): void }[];
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync, limits: TableLimits) {
    const collections = createCollectionDictionary(db);
    const replicas = createReplicaDictionary(db);
    this.documents = new DocumentTable(db, collections, replicas);
    this.state = new StateTable(db, collections, replicas, limits.chainLengthMax);
    this.gone = new GoneTable(db, collections, limits.goneLogMax);
    this.entries = new EntryTable(db);
    this.meta = new MetaTable(db);
    this.#resets = [collections, replicas, this.documents, this.state, this.gone];
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#db = db;
  }

  load(): StoreImage {
    return { ...this.state.read(), meta: this.meta.engine() };
  }

  /** Runs all of it in one transaction, or nothing. */
  transaction(run: () => void): void {
    this.#begin.run();
    try {
      run();
      this.#commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      for (const table of this.#resets) table.reset();
      throw error;
    }
  }

  apply(batch: StoreBatch): void {
    if (batch.head !== undefined) this.state.putHead(batch.head);
    if (batch.resetChain) this.state.clearChain();
    if (batch.chain && batch.head !== undefined) this.state.addCheck(batch.head.seq, batch.head.check);
    for (const row of batch.removed ?? []) {
      this.documents.remove(row.collection, row.key);
      this.gone.add(row);
    }
    this.gone.trim();
    for (const document of batch.documents ?? []) this.documents.put(document);
    for (const row of batch.collections ?? []) this.state.putCollection(row);
    for (const name of batch.forget ?? []) this.state.forget(name);
    for (const row of batch.knowledge ?? []) this.state.putKnown(row);
    for (const row of batch.purged ?? []) this.state.putPurged(row);
    for (const [name, text] of batch.meta ?? []) this.meta.setEngine(name, text);
    for (const row of batch.entries ?? []) this.entries.put(row);
  }
}
