import type { DatabaseSync } from 'node:sqlite';
import { type IndexDefinition, type IndexOptions, parseIndex } from '../../../core/query/index.ts';
import { checkSum, corruptRow, rowSum } from './row-sum.ts';

/**
 * `emptying`: entries are being removed before a rebuild. `building`: documents are being entered, in key order. `ready`: it
 * answers queries. `dropping`: entries are being removed, then the index itself. Writes update indexes in all states but
 * `dropping`.
 */
export type IndexState = 'emptying' | 'building' | 'ready' | 'dropping';

/** A row of `idx`. */
export interface HeldIndex {
  readonly id: number;
  readonly coll: number;
  readonly definition: IndexDefinition;
  readonly state: IndexState;
  /** While it is built: the last key that was entered; null: none yet. */
  readonly after: string | null;
  /** Documents entered so far by building. */
  readonly done: number;
}

interface IndexRow extends Omit<HeldIndex, 'definition'> {
  readonly name: string;
  readonly options: string;
  readonly sum: number;
}

/** Table `idx`, cached in memory. A file of format 1, opened only for reading, has no such table. */
export class IndexRows {
  readonly #db: DatabaseSync;
  #rows: Map<number, HeldIndex> | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  all(): ReadonlyMap<number, HeldIndex> {
    this.#rows ??= this.#read();
    return this.#rows;
  }

  nextId(): number {
    return Math.max(0, ...this.all().keys()) + 1;
  }

  put(index: HeldIndex): void {
    const { id, coll, definition, state, after, done } = index;
    const sum = sumOf({ id, coll, name: definition.name, options: definition.text, state, after, done });
    this.#db
      .prepare(
        'INSERT OR REPLACE INTO idx(id, coll, name, options, state, after, done, sum) VALUES(?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, coll, definition.name, definition.text, state, after, done, sum);
    this.#change(id, index);
  }

  delete(id: number): void {
    this.#db.prepare('DELETE FROM idx WHERE id = ?').run(id);
    this.#change(id, undefined);
  }

  /** After a rollback. */
  reset(): void {
    this.#rows = undefined;
  }

  #change(id: number, index: HeldIndex | undefined): void {
    const rows = new Map(this.all());
    if (index === undefined) rows.delete(id);
    else rows.set(id, index);
    this.#rows = rows;
  }

  #read(): Map<number, HeldIndex> {
    const table = this.#db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'idx'").get();
    if (table === undefined) return new Map();
    const rows = this.#db.prepare('SELECT id, coll, name, options, state, after, done, sum FROM idx').all();
    return new Map((rows as unknown as IndexRow[]).map((row) => [row.id, heldIndex(row)]));
  }
}

function heldIndex(row: IndexRow): HeldIndex {
  const { id, coll, name, options, state, after, done, sum } = row;
  checkSum(sum, sumOf(row), `index ${id}`);
  try {
    const definition = parseIndex({ ...(JSON.parse(options) as IndexOptions), name });
    return { id, coll, definition, state, after, done };
  } catch {
    throw corruptRow(`index ${id} cannot be read`);
  }
}

function sumOf({ id, coll, name, options, state, after, done }: Omit<IndexRow, 'sum'>): number {
  return rowSum(id, coll, name, options, state, after, done);
}
