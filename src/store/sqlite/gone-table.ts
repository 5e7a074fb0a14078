import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocumentKey } from '../../core/ids/index.ts';
import type { GoneDocument, GoneReason } from '../store.ts';
import type { CollectionDictionary } from './dictionary.ts';

/** Table `gone`: the newest rows that went away without a write. */
export class GoneTable {
  readonly #collections: CollectionDictionary;
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #count: StatementSync;
  readonly #oldest: StatementSync;
  readonly #deleteUpTo: StatementSync;
  readonly #from: StatementSync;
  readonly #setFrom: StatementSync;
  readonly #lengthMax: number;
  #length: number | undefined;

  constructor(db: DatabaseSync, collections: CollectionDictionary, lengthMax: number) {
    this.#collections = collections;
    this.#lengthMax = lengthMax;
    this.#insert = db.prepare('INSERT OR REPLACE INTO gone(pos, coll, key, why, since) VALUES(?, ?, ?, ?, ?)');
    this.#after = db.prepare('SELECT pos, coll, key, why, since FROM gone WHERE pos > ? ORDER BY pos LIMIT ?');
    this.#count = db.prepare('SELECT count(*) AS n FROM gone');
    this.#oldest = db.prepare('SELECT pos FROM gone ORDER BY pos LIMIT 1 OFFSET ?');
    this.#deleteUpTo = db.prepare('DELETE FROM gone WHERE pos <= ?');
    this.#from = db.prepare("SELECT v FROM meta WHERE k = 'gone-from'");
    this.#setFrom = db.prepare("INSERT OR REPLACE INTO meta(k, v) VALUES('gone-from', ?)");
  }

  reset(): void {
    this.#length = undefined;
  }

  add({ pos, collection, key, why, deadSince }: GoneDocument): void {
    this.#length ??= this.#count.get()!.n as number;
    this.#insert.run(pos, this.#collections.idOf(collection), key, why, deadSince);
    this.#length++;
  }

  /** Forgets the oldest rows beyond the bound. */
  trim(): void {
    if (this.#length === undefined || this.#length <= this.#lengthMax) return;
    const last = this.#oldest.get(this.#length - this.#lengthMax - 1)!.pos as number;
    this.#deleteUpTo.run(last);
    this.#setFrom.run(String(Math.max(this.from(), last)));
    this.#length = this.#lengthMax;
  }

  after(pos: number, limit: number): GoneDocument[] {
    return this.#after.all(pos, Number.isFinite(limit) ? limit : -1).map((row) => ({
      collection: this.#collections.nameOf(row.coll as number),
      key: row.key as DocumentKey,
      pos: row.pos as number,
      why: row.why as GoneReason,
      deadSince: row.since as number | null,
    }));
  }

  from(): number {
    return Number(this.#from.get()?.v ?? 0);
  }
}
