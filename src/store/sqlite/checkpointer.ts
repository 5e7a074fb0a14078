import type { DatabaseSync } from 'node:sqlite';
import { PersistenceError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { WalFile } from './wal-file.ts';

export interface CheckpointerOptions {
  readonly path: string;
  readonly connection: { readonly walMode: boolean; readonly busyTimeoutMs: number };
  readonly logger: Logger;
}

/** Rows written between two looks at the size of the log. */
const ROWS_PER_LOOK = 512;
/** A log of this size is copied into the main file. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** A log file that grew beyond this is cut back. */
const LOG_FILE_BYTES_MAX = 32 * 1024 * 1024;

/** Keeps the write-ahead log short. Commits never wait for it longer than a few pages take. */
export class Checkpointer {
  readonly #db: () => DatabaseSync;
  readonly #wal: WalFile;
  readonly #options: CheckpointerOptions;
  #rowsSinceLook = 0;
  #running: Promise<void> | undefined;
  #isPaused = false;

  constructor(db: () => DatabaseSync, wal: WalFile, options: CheckpointerOptions) {
    this.#db = db;
    this.#wal = wal;
    this.#options = options;
  }

  /** Looks now and then whether the log has grown. */
  noteCommit(rows: number): void {
    if (!this.#options.connection.walMode) return;
    this.#rowsSinceLook += rows;
    if (this.#rowsSinceLook < ROWS_PER_LOOK || this.#running !== undefined || this.#isPaused) return;
    this.#rowsSinceLook = 0;
    this.#running = this.#look()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error, path: this.#wal.path }, 'the log could not be shortened');
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when no checkpoint runs; none begins until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Brings everything into the main file, durably, and empties the log. Throws DATABASE_LOCKED when a reader is in the way. */
  truncate(): void {
    if (!this.#options.connection.walMode) return;
    const row = this.#db().prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    if (row?.busy === 0) return;
    throw new PersistenceError(
      'DATABASE_LOCKED',
      `another program reads the database ${this.#options.path}; close it and try again`,
      { details: { path: this.#options.path } },
    );
  }

  async #look(): Promise<void> {
    if ((await this.#wal.pendingBytes()) < CHECKPOINT_BYTES) return;
    if (this.#isPaused) return;
    const mode = (await this.#wal.sizeBytes()) > LOG_FILE_BYTES_MAX ? 'TRUNCATE' : 'RESTART';
    this.#db().prepare(`PRAGMA wal_checkpoint(${mode})`).get();
  }
}
