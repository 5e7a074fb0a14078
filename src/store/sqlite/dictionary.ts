import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  bytesToReplicaId,
  type CollectionName,
  parseCollectionName,
  type ReplicaId,
  replicaIdToBytes,
} from '../../core/ids/index.ts';

/** Small numbers for long names: rows hold the number. Names are never removed. */
interface Dictionary<Name extends string> {
  /** Gives an unknown name the next number. */
  idOf(name: Name): number;
  /** Undefined for a name that has no number: nothing is stored under it. */
  knownId(name: Name): number | undefined;
  /** Throws a RangeError for a number that was never given: the row is damaged. */
  nameOf(id: number): Name;
  /** Forgets what was read: after a rollback some of it may be untrue. */
  reset(): void;
}

export type ReplicaDictionary = Dictionary<ReplicaId>;
export type CollectionDictionary = Dictionary<CollectionName>;

export function createReplicaDictionary(db: DatabaseSync): ReplicaDictionary {
  return new TableDictionary(db, 'replica', 'uuid', replicaIdToBytes, (stored) =>
    bytesToReplicaId(stored as Uint8Array),
  );
}

export function createCollectionDictionary(db: DatabaseSync): CollectionDictionary {
  return new TableDictionary(db, 'collection', 'name', (name) => name, parseCollectionName);
}

class TableDictionary<Name extends string> implements Dictionary<Name> {
  readonly #readAll: StatementSync;
  readonly #insert: StatementSync;
  readonly #encode: (name: Name) => string | Uint8Array;
  readonly #decode: (stored: unknown) => Name;
  #ids = new Map<Name, number>();
  #names = new Map<number, Name>();
  #isRead = false;

  constructor(
    db: DatabaseSync,
    table: string,
    column: string,
    encode: (name: Name) => string | Uint8Array,
    decode: (stored: unknown) => Name,
  ) {
    this.#readAll = db.prepare(`SELECT id, ${column} AS name FROM ${table}`);
    this.#insert = db.prepare(`INSERT INTO ${table}(${column}) VALUES(?)`);
    this.#encode = encode;
    this.#decode = decode;
  }

  idOf(name: Name): number {
    const known = this.knownId(name);
    if (known !== undefined) return known;
    const id = Number(this.#insert.run(this.#encode(name)).lastInsertRowid);
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
    if (name === undefined) throw new RangeError(`the number ${id} stands for nothing`);
    return name;
  }

  reset(): void {
    this.#ids = new Map();
    this.#names = new Map();
    this.#isRead = false;
  }

  #read(): void {
    for (const row of this.#readAll.iterate()) this.#remember(row.id as number, this.#decode(row.name));
    this.#isRead = true;
  }

  #remember(id: number, name: Name): void {
    this.#ids.set(name, id);
    this.#names.set(id, name);
  }
}
