import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Statements of queries kept prepared. Of more, the one unused for longest is prepared again. */
const STATEMENTS_MAX = 100;

/** Statements of a connection, by their text. */
export class StatementCache {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** A text is always asked for in the same form. */
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
