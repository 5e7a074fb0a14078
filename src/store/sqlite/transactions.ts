import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoreBatch } from '../store.ts';
import { batchToText, isRecordable, type RedoFile, textToBatch } from './files/index.ts';
import type { MetaTable } from './tables/index.ts';

/** Commits that share a transaction of SQLite, so that each page that they touch is written once. */
const RECORDS_MAX = 128;
/** A program that writes only a few times, such as a command, needs no redo log; nor does a first sync, whose small commits are few. */
const SMALL_COMMITS_BEFORE_REDO = 8;

export interface TransactionsDeps {
  readonly db: DatabaseSync;
  /** Undefined: every commit is a transaction of SQLite. */
  readonly redo: RedoFile | undefined;
  readonly meta: MetaTable;
  readonly apply: (batch: StoreBatch) => void;
  /** Called right before a transaction ends: writes pending rows. */
  readonly finish: () => void;
  /** Called after a rollback: forgets everything cached from the tables. */
  readonly reset: () => void;
}

/**
 * Commits over one connection. Small ones are recorded: they are written to the redo log and applied in a transaction of
 * SQLite that stays open, where this connection can read them. `settle` ends that transaction, which puts all of them into
 * the database.
 *
 *     commit ── small ──→ apply, record ──→ recorded ─┐
 *            └─ other ──→ apply ───────────→ settle ←─┘ 128 recorded, or somebody needs the file itself
 *
 * After a crash, records that the database lacks are applied again (`replay`). The same happens after a rollback, which
 * undoes everything that is recorded and not settled.
 */
export class Transactions {
  readonly #deps: TransactionsDeps;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** Generation of the database, read for the first record: opening has raised it by then. */
  #generation: number | undefined;
  /** Number of commits so far in the life of this file. */
  #number: number | undefined;
  /** Recorded batches that are only in the open transaction. */
  #recorded: StoreBatch[] = [];
  /** A rollback undid the recorded batches, and they have not been applied again yet. */
  #isTakenBack = false;
  /** The disk refused a record: commits go to SQLite until one has succeeded there. */
  #isRedoRefused = false;
  #smallCommits = 0;

  constructor(deps: TransactionsDeps) {
    this.#deps = deps;
    this.#begin = deps.db.prepare('BEGIN IMMEDIATE');
    this.#commit = deps.db.prepare('COMMIT');
  }

  /** Number of recorded commits that are not settled. */
  get recorded(): number {
    return this.#recorded.length;
  }

  /** Whether a rollback undid recorded commits: `restore` must run before anything is read. */
  get isTakenBack(): boolean {
    return this.#isTakenBack;
  }

  /**
   * Applies the records that follow the commits in the database, and leaves them unsettled. True: there were further records
   * that cannot be used, because they or the commits before them cannot be read.
   */
  replay(): boolean {
    const { redo } = this.#deps;
    if (redo === undefined) return false;
    const { records, newest } = redo.read(this.#generationNow());
    const batches: StoreBatch[] = [];
    let number = this.#numberNow();
    for (const record of records) {
      if (record.number <= number) continue;
      if (record.number !== number + 1) break;
      batches.push(textToBatch(record.text));
      number = record.number;
    }
    this.#recorded = batches;
    this.#number = number;
    this.#isTakenBack = batches.length > 0;
    this.restore();
    return newest > number;
  }

  /** Makes a commit. `alongWith` runs in its transaction of SQLite; not at all if the commit is recorded instead. */
  commit(batch: StoreBatch, mayRecord: boolean, alongWith: () => void): void {
    const isRecorded = mayRecord && this.#record(batch);
    if (!isRecorded) {
      this.#settleWith(() => {
        this.#deps.apply(batch);
        alongWith();
      }, this.#numberNow() + 1);
    }
  }

  /** Runs in a transaction of SQLite, together with everything that is recorded. */
  settleWith<T>(run: () => T): T {
    return this.#settleWith(run, this.#numberNow());
  }

  /** Puts everything that is recorded into the database. */
  settle(): void {
    if (this.#recorded.length > 0) this.settleWith(() => {});
  }

  /** Applies recorded commits again that a rollback undid. */
  restore(): void {
    if (!this.#isTakenBack) return;
    this.#undoIfFailed(() => {
      this.#beginOnce();
      for (const batch of this.#recorded) this.#deps.apply(batch);
      this.#isTakenBack = false;
    });
  }

  /** Rolls back the open transaction. Recorded commits will be applied again by `restore`. */
  rollBack(): void {
    if (this.#deps.db.isTransaction) this.#deps.db.exec('ROLLBACK');
    this.#deps.reset();
    this.#isTakenBack = this.#recorded.length > 0;
  }

  /** False: the commit cannot be recorded and must be settled. */
  #record(batch: StoreBatch): boolean {
    const { redo } = this.#deps;
    if (redo === undefined || this.#isRedoRefused || !isRecordable(batch)) return false;
    if (++this.#smallCommits <= SMALL_COMMITS_BEFORE_REDO || this.#recorded.length >= RECORDS_MAX) return false;
    const number = this.#numberNow() + 1;
    try {
      return this.#undoIfFailed(() => {
        this.restore();
        this.#beginOnce();
        this.#deps.apply(batch);
        if (!this.#append(redo, number, batch)) return this.#settleApplied(number);
        this.#recorded.push(batch);
        this.#number = number;
        return true;
      });
    } catch (error) {
      if (this.#isRedoRefused) withdraw(redo);
      throw error;
    }
  }

  /** False: SQLite must take the commit. A refused record may be in the file nevertheless, so its number is used up. */
  #append(redo: RedoFile, number: number, batch: StoreBatch): boolean {
    this.#generation ??= this.#generationNow();
    try {
      return redo.append(this.#generation, number, batchToText(batch));
    } catch {
      this.#number = number;
      this.#isRedoRefused = true;
      return false;
    }
  }

  #settleWith<T>(run: () => T, number: number): T {
    return this.#undoIfFailed(() => {
      this.restore();
      this.#beginOnce();
      const result = run();
      this.#settleApplied(number);
      return result;
    });
  }

  #settleApplied(number: number): true {
    if (this.#deps.redo !== undefined) this.#deps.meta.set('commits', String(number));
    this.#deps.finish();
    this.#commit.run();
    this.#recorded = [];
    this.#number = number;
    this.#isRedoRefused = false;
    this.#deps.redo?.taken();
    return true;
  }

  #beginOnce(): void {
    if (!this.#deps.db.isTransaction) this.#begin.run();
  }

  #undoIfFailed<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  #generationNow(): number {
    return Number(this.#deps.meta.get('generation') ?? 0);
  }

  #numberNow(): number {
    this.#number ??= Number(this.#deps.meta.get('commits') ?? 0);
    return this.#number;
  }
}

/** Removes a record whose commit failed. If the disk refuses that too, the next commit makes up for it. */
function withdraw(redo: RedoFile): void {
  try {
    redo.withdraw();
  } catch {
    // Until then, a crash would bring the commit back.
  }
}
