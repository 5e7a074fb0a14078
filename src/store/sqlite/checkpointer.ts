import type { DatabaseSync } from 'node:sqlite';
import { PersistenceError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { AsideQueries } from './aside-queries.ts';
import { setRunning } from './connection.ts';
import type { FilePlaces, WalFile } from './files/index.ts';
import type { Maintenance } from './maintenance/index.ts';

export interface CheckpointerOptions {
  readonly path: string;
  readonly connection: { readonly walMode: boolean; readonly busyTimeoutMs: number };
  readonly logger: Logger;
  readonly maintenance: Maintenance;
  readonly places: FilePlaces;
  /** Threads that read: as long as they do, the log is not begun anew. */
  readonly aside: AsideQueries;
  readonly limits: { readonly asideLogBytesMax: number };
}

/** Rows written between two looks at the size of the log. */
const ROWS_PER_LOOK = 512;
/** A log of this size is copied into the main file by the maintenance thread. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** A log that the thread cannot catch up with is finished by the writer, which blocks it for what is left. */
const FINISH_BYTES = 16 * 1024 * 1024;
/** A log file that grew beyond this is cut back. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Rounds of the thread before the writer has to help. */
const ROUNDS_MAX = 3;

/**
 * Keeps the write-ahead log short. The thread copies what readers allow; when it has copied all and no commit came between,
 * the next commit begins the log anew. Under steady writing it never has, and the writer finishes the last pages.
 */
export class Checkpointer {
  readonly #db: () => DatabaseSync;
  readonly #wal: WalFile;
  readonly #options: CheckpointerOptions;
  #rowsSinceLook = 0;
  #running: Promise<void> | undefined;
  #isPaused = false;
  /** Why the thread failed last; told once. */
  #problem: string | undefined;
  /** The log file was beyond its bound when it was looked at last. */
  #isLong = false;

  constructor(db: () => DatabaseSync, wal: WalFile, options: CheckpointerOptions) {
    this.#db = db;
    this.#wal = wal;
    this.#options = options;
  }

  /** Looks now and then whether the log has grown. */
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

  /** Undefined, or what a flush waits for, too: on a machine whose thread cannot keep up, writers go at its pace. */
  relief(): Promise<void> | undefined {
    return this.#isLong ? this.#running : undefined;
  }

  /** Resolves when no checkpoint runs, and no thread reads; neither begins until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
    await this.#options.aside.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#options.aside.resume();
  }

  /** Brings everything into the main file, durably, and empties the log. Throws DATABASE_LOCKED when a reader is in the way. */
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
    // The thread opens them by name: other files there would be damaged.
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

  /** Where no thread can be had (a bundle without its file, a limit of the system), the writer does it all. */
  async #copyInThread(): Promise<void> {
    const { maintenance, path, logger } = this.#options;
    try {
      let left = 1;
      for (let round = 0; left > 0 && round < ROUNDS_MAX && !this.#isPaused; round++)
        left = await maintenance.run({ kind: 'checkpoint', path });
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) logger.warn({ err: error, path }, 'the thread that shortens the log failed');
      this.#problem = message;
    }
  }

  /** False when somebody reads: then it is tried again after some more commits, rather than waited for here. */
  #finish(mode: 'RESTART' | 'TRUNCATE'): boolean {
    const db = this.#db();
    db.exec('PRAGMA busy_timeout = 0');
    try {
      return db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()?.busy === 0;
    } finally {
      setRunning(db, this.#options.connection);
    }
  }
}

/**
 * Before 3.51.3, a checkpoint on one connection while another one begins the log anew could damage the file
 * (sqlite.org/wal.html#walresetbug). The writer then checkpoints by itself, which blocks it longer.
 */
function hasSafeCheckpoints(db: DatabaseSync): boolean {
  const version = String(db.prepare('SELECT sqlite_version() AS version').get()?.version);
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}
