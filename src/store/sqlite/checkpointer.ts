import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { AsideQueries } from './aside-queries.ts';
import { setRunning } from './connection.ts';
import type { FilePlaces, WalFile } from './files/index.ts';
import type { JobThreads } from './threads/index.ts';

export interface CheckpointerOptions {
  readonly path: string;
  readonly connection: { readonly walMode: boolean; readonly busyTimeoutMs: number };
  readonly logger: Logger;
  readonly threads: JobThreads;
  readonly places: FilePlaces;
  /** Queries in threads: as long as they read, the log cannot be restarted. */
  readonly aside: AsideQueries;
  readonly limits: { readonly asideLogBytesMax: number };
  readonly clock: Clock;
}

/** Rows written between two checks of the size of the log. */
const ROWS_PER_LOOK = 512;
/** A log of this size is copied into the main file by a thread. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** If the thread cannot keep a log below this size, the writer copies the rest itself, which blocks it meanwhile. */
const FINISH_BYTES = 16 * 1024 * 1024;
/** A log file that has grown beyond this is truncated. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Checkpoints by the thread before the writer has to help. */
const ROUNDS_MAX = 3;

/**
 * Keeps the write-ahead log short. The thread copies as much as readers allow. Once it has copied everything without a
 * commit in between, the next commit restarts the log. Under steady writing that never happens, so the writer copies the
 * last pages.
 */
export class Checkpointer {
  readonly #db: () => DatabaseSync;
  readonly #wal: WalFile;
  readonly #options: CheckpointerOptions;
  #rowsSinceLook = 0;
  #running: Promise<void> | undefined;
  #isPaused = false;
  /** Message of the last failure of the thread, so that it is logged only once. */
  #problem: string | undefined;
  /** Whether the log file was beyond its bound at the last check. */
  #isLong = false;

  constructor(db: () => DatabaseSync, wal: WalFile, options: CheckpointerOptions) {
    this.#db = db;
    this.#wal = wal;
    this.#options = options;
  }

  /** Reports written rows. Checks now and then whether the log has grown. */
  noteCommit(rows: number): void {
    if (!this.#options.connection.walMode) return;
    this.#rowsSinceLook += rows;
    if (this.#rowsSinceLook < ROWS_PER_LOOK) return;
    this.#rowsSinceLook = 0;
    this.#isLong = this.#wal.sizeBytes() > FILE_BYTES_MAX;
    if (this.#running !== undefined || this.#isPaused) return;
    this.#running = this.#look()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error, path: this.#wal.path }, 'the log could not be shortened');
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** A promise that flushes also wait for, so that writers slow down when the thread cannot keep up; usually undefined. */
  relief(): Promise<void> | undefined {
    return this.#isLong ? this.#running : undefined;
  }

  /** Resolves when no checkpoint runs and no thread reads. Neither begins again before `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
    await this.#options.aside.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#options.aside.resume();
  }

  /** Copies everything durably into the main file and empties the log. Throws DATABASE_LOCKED if a reader prevents it. */
  truncate(): void {
    if (!this.#options.connection.walMode || this.#finish('TRUNCATE')) return;
    const { path } = this.#options;
    throw new PersistenceError(
      'DATABASE_LOCKED',
      `another program reads the database ${path}; close it and try again`,
      {
        details: { path },
      },
    );
  }

  async #look(): Promise<void> {
    const pending = await this.#wal.pendingBytes();
    this.#options.places.assertMine();
    if (pending < CHECKPOINT_BYTES) return;
    const { aside, limits } = this.#options;
    if (pending <= limits.asideLogBytesMax) return this.#shorten();
    await aside.pause();
    try {
      await this.#shorten();
    } finally {
      aside.resume();
    }
  }

  async #shorten(): Promise<void> {
    // The thread opens the files by name: other files in their place would be damaged.
    if (!hasSafeCheckpoints(this.#db()) || !(await this.#options.places.areAllHeld())) {
      this.#finish('RESTART');
      return;
    }
    await this.#copyInThread();
    const pending = await this.#wal.pendingBytes();
    if (this.#isPaused) return;
    if (this.#wal.sizeBytes() > FILE_BYTES_MAX) this.#finish('TRUNCATE');
    else if (pending > FINISH_BYTES) this.#finish('RESTART');
  }

  /** If no thread can be started (a bundle without its file, a limit of the system), the writer does all the copying. */
  async #copyInThread(): Promise<void> {
    const { threads, path, logger } = this.#options;
    try {
      let left = 1;
      for (let round = 0; left > 0 && round < ROUNDS_MAX && !this.#isPaused; round++)
        left = await this.#copyOnce(() => threads.run({ kind: 'checkpoint', path }));
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) logger.warn({ err: error, path }, 'the thread that shortens the log failed');
      this.#problem = message;
    }
  }

  async #copyOnce(copy: () => Promise<number>): Promise<number> {
    const { places, clock } = this.#options;
    places.beforeCopy(this.#db(), clock.now());
    try {
      return await copy();
    } finally {
      places.afterCopy();
    }
  }

  /** False if somebody reads. Instead of waiting here, the next try comes after some more commits. */
  #finish(mode: 'RESTART' | 'TRUNCATE'): boolean {
    const { places, clock, connection } = this.#options;
    const db = this.#db();
    places.beforeCopy(db, clock.now());
    db.exec('PRAGMA busy_timeout = 0');
    try {
      return db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()?.busy === 0;
    } finally {
      places.afterCopy();
      setRunning(db, connection);
    }
  }
}

/**
 * Before 3.51.3, a checkpoint on one connection while another one restarts the log could damage the file
 * (sqlite.org/wal.html#walresetbug). With such a version the writer checkpoints itself, which blocks it longer.
 */
function hasSafeCheckpoints(db: DatabaseSync): boolean {
  const version = String(db.prepare('SELECT sqlite_version() AS version').get()?.version);
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}
