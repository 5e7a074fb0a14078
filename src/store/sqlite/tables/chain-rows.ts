import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Check, parseCheck } from '../../../core/version/index.ts';
import { LIMITED } from './limited.ts';
import type { StateRows } from './state-rows.ts';

/** The `coll` of the chain's rows in `state`: its newest rows are next to the head, which every commit writes too. */
const CHAIN = -1;
/** Share by which the chain may exceed its bound before the oldest rows are deleted, so that not every commit touches both ends. */
const SLACK = 0.01;

/** The newest checks of this replica's chain, one per commit. */
export class ChainRows {
  readonly #rows: StateRows;
  readonly #first: StatementSync;
  readonly #count: StatementSync;
  readonly #trim: StatementSync;
  readonly #lengthMax: number;
  /** Upper bound of the number of rows: a check written twice counts twice until rows are counted again. */
  #length: number | undefined;

  constructor(db: DatabaseSync, rows: StateRows, lengthMax: number) {
    this.#rows = rows;
    this.#lengthMax = lengthMax;
    this.#first = db.prepare(`SELECT min(replica) AS seq FROM state WHERE coll = ${CHAIN}`);
    this.#count = db.prepare(`SELECT count(*) AS n FROM state WHERE coll = ${CHAIN}`);
    this.#trim = db.prepare(`DELETE FROM state WHERE coll = ${CHAIN} AND replica IN
      (SELECT replica FROM state WHERE coll = ${CHAIN} ORDER BY replica ${LIMITED})`);
  }

  add(seq: number, check: Check): void {
    this.#length ??= this.#counted();
    this.#rows.put({ coll: CHAIN, replica: seq, seq: null, chk: check, purged: null, data: null });
    this.#length++;
    if (this.#length > this.#lengthMax * (1 + SLACK)) this.#forgetOldest();
  }

  clear(): void {
    this.#rows.write();
    this.#trim.run(-1);
    this.#length = 0;
  }

  check(seq: number): Check | undefined {
    return parseCheck(this.#rows.get(CHAIN, seq)?.chk);
  }

  /** The oldest seq that is kept, or 0. */
  from(): number {
    this.#rows.write();
    return (this.#first.get()?.seq ?? 0) as number;
  }

  /** After a rollback. */
  reset(): void {
    this.#length = undefined;
  }

  #forgetOldest(): void {
    this.#rows.write();
    const length = this.#counted();
    if (length > this.#lengthMax) this.#trim.run(length - this.#lengthMax);
    this.#length = Math.min(length, this.#lengthMax);
  }

  #counted(): number {
    return this.#count.get()!.n as number;
  }
}
