import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { checkSum, rowSum } from './row-sum.ts';

/** A row of table `state`; see `schema.ts` for what each one means. */
export interface StateRow {
  readonly coll: number;
  readonly replica: number;
  readonly seq: number | null;
  readonly chk: string | null;
  readonly purged: number | null;
  readonly data: string | null;
}

const COLUMNS = 'coll, replica, seq, chk, purged, data, sum';
/** One statement for several rows costs little more than one for a single row. */
const ROWS_PER_STATEMENT = 4;

/**
 * Rows of `state` by their key, each verified when it is read. Rows that are put wait for `write` at the end of the
 * transaction, because commits that share a transaction write the same rows again and again.
 */
export class StateRows {
  readonly #db: DatabaseSync;
  readonly #get: StatementSync;
  readonly #all: StatementSync;
  readonly #every: StatementSync;
  /** Statement n − 1 writes n rows. */
  readonly #puts: StatementSync[] = [];
  readonly #pending = new Map<string, StateRow>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#get = db.prepare(`SELECT ${COLUMNS} FROM state WHERE coll = ? AND replica = ?`);
    this.#all = db.prepare(`SELECT ${COLUMNS} FROM state WHERE coll >= 0`);
    this.#every = db.prepare(`SELECT ${COLUMNS} FROM state`);
  }

  get(coll: number, replica: number): StateRow | undefined {
    const pending = this.#pending.get(keyOf(coll, replica));
    return pending ?? verified(this.#get.get(coll, replica) as StoredRow | undefined);
  }

  /** All rows except those of the chain. */
  all(): StateRow[] {
    this.write();
    return (this.#all.all() as unknown as StoredRow[]).map((row) => verified(row)!);
  }

  /** Throws for the first damaged row, including those of the chain. */
  verify(): void {
    for (const row of this.#every.iterate() as Iterable<unknown> as Iterable<StoredRow>) verified(row);
  }

  put(row: StateRow): void {
    this.#pending.set(keyOf(row.coll, row.replica), row);
  }

  /** Writes the pending rows, inside the transaction. */
  write(): void {
    const rows = [...this.#pending.values()];
    for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT)
      this.#writeTogether(rows.slice(i, i + ROWS_PER_STATEMENT));
    this.#pending.clear();
  }

  /** After a rollback. */
  reset(): void {
    this.#pending.clear();
  }

  #writeTogether(rows: readonly StateRow[]): void {
    const values: SQLInputValue[] = [];
    for (const row of rows) values.push(row.coll, row.replica, row.seq, row.chk, row.purged, row.data, sumOf(row));
    this.#puts[rows.length - 1] ??= this.#prepare(rows.length);
    this.#puts[rows.length - 1]!.run(...values);
  }

  #prepare(count: number): StatementSync {
    const values = Array.from({ length: count }, () => '(?, ?, ?, ?, ?, ?, ?)').join(', ');
    return this.#db.prepare(`INSERT INTO state(${COLUMNS}) VALUES ${values} ON CONFLICT DO UPDATE SET
      seq = excluded.seq, chk = excluded.chk, purged = excluded.purged, data = excluded.data, sum = excluded.sum`);
  }
}

interface StoredRow extends StateRow {
  readonly sum: number;
}

function keyOf(coll: number, replica: number): string {
  return `${coll} ${replica}`;
}

function verified(row: StoredRow | undefined): StateRow | undefined {
  if (row !== undefined) checkSum(row.sum, sumOf(row), `row (${row.coll}, ${row.replica}) of the state`);
  return row;
}

function sumOf({ coll, replica, seq, chk, purged, data }: StateRow): number {
  return rowSum(coll, replica, seq, chk, purged, data);
}
