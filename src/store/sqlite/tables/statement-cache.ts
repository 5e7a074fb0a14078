import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Prepared statements that are kept. Beyond that, the one unused for longest is dropped. */
const STATEMENTS_MAX = 100;

/** Prepared statements of a connection, by their text. */
export class StatementCache {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** `asArrays` must be the same for every call with the same text. */
  get(sql: string, asArrays = false): StatementSync {
    const known = this.#statements.get(sql);
    const statement = known ?? this.#db.prepare(sql);
    if (known === undefined) statement.setReturnArrays(asArrays);
    else this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    const oldest = this.#statements.size > STATEMENTS_MAX ? this.#statements.keys().next().value : undefined;
    if (oldest !== undefined) this.#statements.delete(oldest);
    return statement;
  }
}
