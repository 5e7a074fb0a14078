import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** One statement for several rows costs less than one for each. */
export const ROWS_PER_STATEMENT = 16;
/** Values of a row, in the order of the statement. */
const ROW_VALUES = 15;

const ONE_ROW = `(${Array(ROW_VALUES).fill('?').join(', ')})`;

function insertOf(rows: number, how: 'INSERT' | 'INSERT OR IGNORE'): string {
  return `${how} INTO doc(coll, key, pos, replica, seq, span, hlc, line, line_replica, ctx, stamps, dead_at, fp, sum, value)
  VALUES ${Array(rows).fill(ONE_ROW).join(', ')}`;
}

const OR_UPDATE = `ON CONFLICT(coll, key) DO UPDATE SET pos = excluded.pos, replica = excluded.replica, seq = excluded.seq,
    span = excluded.span, hlc = excluded.hlc, line = excluded.line, line_replica = excluded.line_replica,
    ctx = excluded.ctx, stamps = excluded.stamps, dead_at = excluded.dead_at, fp = excluded.fp, sum = excluded.sum,
    value = excluded.value`;

/**
 * Writes rows of `doc`, whether or not their keys exist. New rows are written by a statement that ignores existing keys
 * (INSERT OR IGNORE): it never needs to be undone half-way, so SQLite keeps no copy of the pages that it changes, which saves
 * a quarter of the time. If it has ignored some, all its rows are written again by a statement that replaces (upsert).
 */
export class RowWriter {
  readonly #insertSome: StatementSync;
  readonly #upsertSome: StatementSync;
  readonly #upsert: StatementSync;
  /** Values of the rows waiting to be written together, up to `end`. */
  readonly values: SQLInputValue[] = Array(ROWS_PER_STATEMENT * ROW_VALUES).fill(null);
  #end = 0;
  #areNew = true;

  constructor(db: DatabaseSync) {
    this.#insertSome = db.prepare(insertOf(ROWS_PER_STATEMENT, 'INSERT OR IGNORE'));
    this.#upsertSome = db.prepare(`${insertOf(ROWS_PER_STATEMENT, 'INSERT')} ${OR_UPDATE}`);
    this.#upsert = db.prepare(`${insertOf(1, 'INSERT')} ${OR_UPDATE}`);
  }

  /** Writes a row immediately; returns its row id if it is new. */
  write(row: readonly SQLInputValue[]): number {
    return Number(this.#upsert.run(...row).lastInsertRowid);
  }

  /** Index in `values` at which the next row begins. */
  get end(): number {
    return this.#end;
  }

  /** Begins a series of rows. `areNew`: most of their keys are expected not to exist. */
  begin(areNew: boolean): void {
    this.#end = 0;
    this.#areNew = areNew;
  }

  /** Reports that the values of one more row were set, up to `end`. */
  added(end: number): void {
    this.#end = end;
    if (end === this.values.length) this.#writeSome();
  }

  /** Writes the waiting rows. */
  flush(): void {
    for (let i = 0; i < this.#end; i += ROW_VALUES) this.write(this.values.slice(i, i + ROW_VALUES));
    this.#forget();
  }

  #writeSome(): void {
    if (this.#areNew) this.#areNew = this.#insertSome.run(...this.values).changes === ROWS_PER_STATEMENT;
    if (!this.#areNew) this.#upsertSome.run(...this.values);
    this.#forget();
  }

  /** Also releases the documents. */
  #forget(): void {
    this.values.fill(null, 0, this.#end);
    this.#end = 0;
  }
}
