import { existsSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BUSY } from '../sqlite-errors.ts';
import { createPrivateFile } from './private-files.ts';

/** An exclusive lock on one file, which the operating system ends with the process, however it ends. The constructor throws what SQLite says. */
export class LockFile {
  readonly #db: DatabaseSync;
  readonly #read: StatementSync;
  /** While it is not finished, it holds a shared lock. */
  #reading: Iterator<unknown> | undefined;

  constructor(lockPath: string) {
    if (!existsSync(lockPath)) createPrivateFile(lockPath);
    this.#db = new DatabaseSync(lockPath, { timeout: 0 });
    try {
      // No journal file: the lock does not need one, and a full disk has no space for it.
      this.#db.exec('PRAGMA journal_mode = MEMORY');
      this.#db.exec('BEGIN EXCLUSIVE');
      this.#read = this.#db.prepare('SELECT 1 UNION ALL SELECT 1 FROM sqlite_schema');
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /**
   * Asks the system for the lock again, and tells whether nobody else has it. In between it is a shared one, which keeps others out as
   * well. A process that only looks whether there is an owner can be in the way: then it stays a shared one until the next time.
   */
  renew(): boolean {
    if (!this.#db.isOpen) return false;
    try {
      if (this.#reading === undefined) {
        this.#reading = this.#read.iterate();
        this.#reading.next();
        this.#db.exec('COMMIT');
      }
      this.#db.exec('BEGIN EXCLUSIVE');
      this.#reading.return?.();
      this.#reading = undefined;
      return true;
    } catch (error) {
      return errorCode(error) === BUSY;
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

/**
 * Takes a lock whose file goes with it. Returns the function that gives it back; undefined: somebody else has it. A place that knows
 * no locks gives one to everybody. Throws the system's error if no file can be made there.
 */
export function takePassingLock(lockPath: string): (() => void) | undefined {
  for (;;) {
    if (!existsSync(lockPath)) createPrivateFile(lockPath);
    const made = inodeOf(lockPath);
    let lock: LockFile;
    try {
      lock = new LockFile(lockPath);
    } catch (error) {
      if (errorCode(error) === BUSY) return undefined;
      return () => removeLock(lockPath);
    }
    // The former owner may have removed the file after it was opened here; then this lock keeps nobody out.
    if (made !== undefined && made === inodeOf(lockPath))
      return () => {
        removeLock(lockPath);
        lock.close();
      };
    lock.close();
  }
}

/** The code of an error of SQLite; undefined for any other. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}

function removeLock(lockPath: string): void {
  try {
    rmSync(lockPath, { force: true });
  } catch {
    // An empty file that stays keeps nobody out.
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
