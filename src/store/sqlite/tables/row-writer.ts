import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** One statement for some rows costs less than one for each. */
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
 * Writes rows of `doc`, whether there is one of that key or not. New ones are put there by a statement that passes over those that it
 * meets: it can do nothing by halves, so that SQLite keeps no copy of each page that it changes, which is a quarter of the time.
 * Where it has passed over some, all of its rows are written once more by a statement that replaces.
 */
export class RowWriter {
  readonly #insertSome: StatementSync;
  readonly #upsertSome: StatementSync;
  readonly #upsert: StatementSync;
  /** Values of rows that wait for one another, up to `end`. */
  readonly values: SQLInputValue[] = Array(ROWS_PER_STATEMENT * ROW_VALUES).fill(null);
  #end = 0;
  #areNew = true;

  constructor(db: DatabaseSync) {
    this.#insertSome = db.prepare(insertOf(ROWS_PER_STATEMENT, 'INSERT OR IGNORE'));
    this.#upsertSome = db.prepare(`${insertOf(ROWS_PER_STATEMENT, 'INSERT')} ${OR_UPDATE}`);
    this.#upsert = db.prepare(`${insertOf(1, 'INSERT')} ${OR_UPDATE}`);
  }

  /** Writes a row at once; returns its number where it is new. */
  write(row: readonly SQLInputValue[]): number {
    return Number(this.#upsert.run(...row).lastInsertRowid);
  }

  /** Where the values of the next row go. */
  get end(): number {
    return this.#end;
  }

  /** Rows that wait for one another follow. `areNew`: most are not there yet. */
  begin(areNew: boolean): void {
    this.#end = 0;
    this.#areNew = areNew;
  }

  /** The values of one more row were set, which end here. */
  added(end: number): void {
    this.#end = end;
    if (end === this.values.length) this.#writeSome();
  }

  /** Writes what waits. */
  flush(): void {
    for (let i = 0; i < this.#end; i += ROW_VALUES) this.write(this.values.slice(i, i + ROW_VALUES));
    this.#forget();
  }

  #writeSome(): void {
    if (this.#areNew) this.#areNew = this.#insertSome.run(...this.values).changes === ROWS_PER_STATEMENT;
    if (!this.#areNew) this.#upsertSome.run(...this.values);
    this.#forget();
  }

  /** Lets go of documents, too. */
  #forget(): void {
    this.values.fill(null, 0, this.#end);
    this.#end = 0;
  }
}
