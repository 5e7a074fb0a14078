import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocumentKey } from '../../../core/ids/index.ts';
import type { GoneDocument, GoneReason } from '../../store.ts';
import type { CollectionDictionary } from './dictionary.ts';
import { LIMITED } from './limited.ts';
import { checkSum, rowSum } from './row-sum.ts';
import type { MetaTable } from './side-tables.ts';

interface GoneRow {
  readonly pos: number;
  readonly coll: number;
  readonly key: DocumentKey;
  readonly why: GoneReason;
  readonly since: number | null;
  readonly sum: number;
}

/** Table `gone`: the log of the newest rows that were removed without a write. */
export class GoneTable {
  readonly #collections: CollectionDictionary;
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #count: StatementSync;
  readonly #oldest: StatementSync;
  readonly #deleteUpTo: StatementSync;
  readonly #meta: MetaTable;
  readonly #lengthMax: number;
  #length: number | undefined;

  constructor(db: DatabaseSync, collections: CollectionDictionary, meta: MetaTable, lengthMax: number) {
    this.#meta = meta;
    this.#collections = collections;
    this.#lengthMax = lengthMax;
    this.#insert = db.prepare('INSERT OR REPLACE INTO gone(pos, coll, key, why, since, sum) VALUES(?, ?, ?, ?, ?, ?)');
    this.#after = db.prepare(`SELECT pos, coll, key, why, since, sum FROM gone WHERE pos > ? ORDER BY pos ${LIMITED}`);
    this.#count = db.prepare('SELECT count(*) AS n FROM gone');
    this.#oldest = db.prepare('SELECT pos FROM gone ORDER BY pos LIMIT 1 OFFSET ?');
    this.#deleteUpTo = db.prepare('DELETE FROM gone WHERE pos <= ?');
  }

  reset(): void {
    this.#length = undefined;
  }

  add({ pos, collection, key, why, deadSince }: GoneDocument): void {
    this.#length ??= this.#count.get()!.n as number;
    const coll = this.#collections.idOf(collection);
    this.#insert.run(pos, coll, key, why, deadSince, rowSum(pos, coll, key, why, deadSince));
    this.#length++;
  }

  /** Deletes the oldest rows beyond the bound. */
  trim(): void {
    if (this.#length === undefined || this.#length <= this.#lengthMax) return;
    const last = this.#oldest.get(this.#length - this.#lengthMax - 1)!.pos as number;
    this.#deleteUpTo.run(last);
    this.#meta.set('gone-from', String(Math.max(this.from(), last)));
    this.#length = this.#lengthMax;
  }

  after(pos: number, limit: number): GoneDocument[] {
    const rows = this.#after.all(pos, Number.isFinite(limit) ? limit : -1) as unknown as GoneRow[];
    return rows.map((row) => {
      checkSum(row.sum, rowSum(row.pos, row.coll, row.key, row.why, row.since), `removal ${row.pos} in the log`);
      const collection = this.#collections.nameOf(row.coll);
      return { collection, key: row.key, pos: row.pos, why: row.why, deadSince: row.since };
    });
  }

  from(): number {
    return Number(this.#meta.get('gone-from') ?? 0);
  }
}
