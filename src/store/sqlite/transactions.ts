import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoreBatch } from '../store.ts';
import { batchToText, isRecordable, type RedoFile, textToBatch } from './files/index.ts';
import type { MetaTable } from './tables/index.ts';

/** Commits that share a transaction of SQLite: each page that they touch is then written once. */
const RECORDS_MAX = 128;
/** A program that writes a few times, such as a command, needs no redo log; nor does a first sync, whose commits are large but for claims. */
const SMALL_COMMITS_BEFORE_REDO = 8;

export interface TransactionsDeps {
  readonly db: DatabaseSync;
  /** Undefined: every commit is a transaction of SQLite. */
  readonly redo: RedoFile | undefined;
  readonly meta: MetaTable;
  readonly apply: (batch: StoreBatch) => void;
  /** Right before a transaction ends: writes what waited for it. */
  readonly finish: () => void;
  /** After a rollback: forgets what was remembered of the tables. */
  readonly reset: () => void;
}

/**
 * Commits over one connection. Small ones are recorded: written to the redo log, and applied in a transaction of SQLite that
 * stays open, where this connection reads them. `settle` ends it, and all of them are in the database at once.
 *
 *     commit ── small ──→ apply, record ──→ recorded ─┐
 *            └─ other ──→ apply ───────────→ settle ←─┘ 128 recorded, or somebody needs the file itself
 *
 * After a crash, records that the database lacks are applied again (`replay`). The same is done after a rollback, which takes
 * back everything that is recorded and not settled.
 */
export class Transactions {
  readonly #deps: TransactionsDeps;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** Of the database, when the first record was written: it is raised once more before that. */
  #generation: number | undefined;
  /** Commits so far, in the life of this file. */
  #number: number | undefined;
  /** Recorded, and in the open transaction only. */
  #recorded: StoreBatch[] = [];
  /** A rollback took back what is recorded, and it could not be applied again yet. */
  #isTakenBack = false;
  /** The disk refused a record: commits go to SQLite, until it has taken one. */
  #isRedoRefused = false;
  #smallCommits = 0;

  constructor(deps: TransactionsDeps) {
    this.#deps = deps;
    this.#begin = deps.db.prepare('BEGIN IMMEDIATE');
    this.#commit = deps.db.prepare('COMMIT');
  }

  /** Commits that no transaction of SQLite has taken. */
  get recorded(): number {
    return this.#recorded.length;
  }

  /** A rollback took back what is recorded: `restore` must come before anything is read. */
  get isTakenBack(): boolean {
    return this.#isTakenBack;
  }

  /**
   * Applies the records that follow on what the database holds, and leaves them unsettled. True: there were others, which cannot
   * be read, or of which the database lacks what they follow on.
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

  /** `alongWith` runs in the same transaction of SQLite, where there is one for this commit. */
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

  /** The database holds everything that is recorded after this. */
  settle(): void {
    if (this.#recorded.length > 0) this.settleWith(() => {});
  }

  /** Makes good what a rollback took back. */
  restore(): void {
    if (!this.#isTakenBack) return;
    this.#undoIfFailed(() => {
      this.#beginOnce();
      for (const batch of this.#recorded) this.#deps.apply(batch);
      this.#isTakenBack = false;
    });
  }

  /** Ends an open transaction without a trace; what is recorded is applied again. */
  rollBack(): void {
    if (this.#deps.db.isTransaction) this.#deps.db.exec('ROLLBACK');
    this.#deps.reset();
    this.#isTakenBack = this.#recorded.length > 0;
  }

  /** False: it must be settled. */
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

  /** False: SQLite takes it. A record that was refused may stand in the file all the same, so its number is used up. */
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

/** Its caller was told that nothing was written. Where the disk refuses that, too, the next commit makes up for it. */
function withdraw(redo: RedoFile): void {
  try {
    redo.withdraw();
  } catch {
    // Until then, a crash brings it back.
  }
}
