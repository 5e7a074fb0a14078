import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type CollectionName, parseCollectionName, parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import { checkSum, corruptRow, rowSum } from './row-sum.ts';

/** Gives small numbers to long names, so that rows hold only the number. Names are never removed. */
interface Dictionary<Name extends string> {
  /** The number of a name. An unknown name gets the next one. */
  idOf(name: Name): number;
  /** Undefined for a name without a number: nothing is stored under it. */
  knownId(name: Name): number | undefined;
  /** Throws DATABASE_CORRUPT for a number that was never given: the row that holds it is damaged. */
  nameOf(id: number): Name;
  /** Forgets everything read. For use after a rollback, which may have undone names. */
  reset(): void;
  /** Makes the next call read the names that another connection has added. */
  refresh(): void;
}

export type ReplicaDictionary = Dictionary<ReplicaId>;
export type CollectionDictionary = Dictionary<CollectionName>;

export function createReplicaDictionary(db: DatabaseSync): ReplicaDictionary {
  return new TableDictionary(db, 'replica', (text) => {
    const replica = parseReplicaId(text);
    if (replica === undefined) throw corruptRow('the name of a replica cannot be read');
    return replica;
  });
}

export function createCollectionDictionary(db: DatabaseSync): CollectionDictionary {
  return new TableDictionary(db, 'collection', parseCollectionName);
}

class TableDictionary<Name extends string> implements Dictionary<Name> {
  readonly #readBehind: StatementSync;
  readonly #insert: StatementSync;
  readonly #table: string;
  readonly #parse: (text: unknown) => Name;
  #ids = new Map<Name, number>();
  #names = new Map<number, Name>();
  #lastId = 0;
  #isRead = false;

  constructor(db: DatabaseSync, table: string, parse: (text: unknown) => Name) {
    this.#table = table;
    this.#parse = parse;
    this.#readBehind = db.prepare(`SELECT id, name, sum FROM ${table} WHERE id > ? ORDER BY id`);
    this.#insert = db.prepare(`INSERT INTO ${table}(id, name, sum) VALUES(?, ?, ?)`);
  }

  idOf(name: Name): number {
    const known = this.knownId(name);
    if (known !== undefined) return known;
    const id = this.#lastId + 1;
    this.#insert.run(id, name, rowSum(this.#table, id, name));
    this.#remember(id, name);
    return id;
  }

  knownId(name: Name): number | undefined {
    if (!this.#isRead) this.#read();
    return this.#ids.get(name);
  }

  nameOf(id: number): Name {
    if (!this.#isRead) this.#read();
    const name = this.#names.get(id);
    if (name === undefined) throw corruptRow(`the number ${id} stands for no ${this.#table}`);
    return name;
  }

  reset(): void {
    this.#ids = new Map();
    this.#names = new Map();
    this.#lastId = 0;
    this.#isRead = false;
  }

  refresh(): void {
    this.#isRead = false;
  }

  #read(): void {
    for (const { id, name, sum } of this.#readBehind.all(this.#lastId)) {
      // Older files have sums without the name of the table. It was added because pages of both tables have the same form.
      if (sum !== rowSum(id as number, name as string)) this.#checkRow(id as number, name as string, sum);
      this.#remember(id as number, this.#parse(name));
    }
    this.#isRead = true;
  }

  #checkRow(id: number, name: string, sum: unknown): void {
    checkSum(sum, rowSum(this.#table, id, name), `number ${id} of the names in ${this.#table}`);
  }

  #remember(id: number, name: Name): void {
    this.#ids.set(name, id);
    this.#names.set(id, name);
    this.#lastId = Math.max(this.#lastId, id);
  }
}
