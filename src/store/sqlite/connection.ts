import { DatabaseSync } from 'node:sqlite';
import { readPragma } from './read-pragma.ts';

/** How long a thread waits while the writer finishes a checkpoint of its own. */
const CHECKPOINT_BUSY_MS = 1000;
/**
 * How long the thread waits to read a file without a write-ahead log. Each commit locks such a file, so a busy writer
 * leaves only short gaps.
 */
export const READER_BUSY_MS = 30_000;

/**
 * Longest wait of a statement once the database is open, as it blocks the event loop. Writes are retried for
 * `busyTimeoutMs` by the `Writer`, which can wait without blocking.
 */
const RUNNING_BUSY_MS = 50;

export interface ConnectionOptions {
  /** How long to wait for another process that has locked the file. */
  readonly busyTimeoutMs: number;
  /** Size of SQLite's page cache. */
  readonly pageCacheBytes: number;
  readonly walMode: boolean;
  /** `full`: every commit waits for the disk. `normal`: in WAL mode only checkpoints do. */
  readonly synchronous: 'full' | 'normal';
}

/** A connection that trusts neither the file's schema nor its pages, and never checkpoints by itself. */
export function openConnection(path: string, options: ConnectionOptions): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: options.busyTimeoutMs, allowExtension: false });
  try {
    harden(db);
    // So that freed pages can be returned in small steps. It can only be set while the file has no pages.
    if (readPragma(db, 'page_count') === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec(`PRAGMA journal_mode = ${options.walMode ? 'WAL' : 'DELETE'}`);
    db.exec(`PRAGMA synchronous = ${options.synchronous}; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY`);
    db.exec(`PRAGMA cache_size = -${Math.ceil(options.pageCacheBytes / 1024)}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Replaces the long lock timeout of opening by the short one of running. */
export function setRunning(db: DatabaseSync, { busyTimeoutMs }: Pick<ConnectionOptions, 'busyTimeoutMs'>): void {
  db.exec(`PRAGMA busy_timeout = ${Math.min(busyTimeoutMs, RUNNING_BUSY_MS)}`);
}

/** A second, read-only connection of the same process. If the file is locked, it waits at most `busyMs`. */
export function openReader(path: string, busyMs = 0): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, allowExtension: false, timeout: busyMs });
  harden(db);
  return db;
}

/** A second connection of the same process, for checkpoints. It takes no lock that a writer could have to wait for. */
export function openCheckpointer(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: CHECKPOINT_BUSY_MS, allowExtension: false });
  harden(db);
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  return db;
}

/**
 * Closes the last connection without what SQLite does then: it would copy the log into the main file, and remove the log. A reader
 * that closes after it may not do that.
 */
export function closeUnsaved(db: DatabaseSync, path: string): void {
  let reader: DatabaseSync | undefined;
  try {
    reader = openReader(path);
    readPragma(reader, 'user_version');
  } catch {
    // There is no database any more. Then nothing can be copied into it either.
  }
  db.close();
  reader?.close();
}

function harden(db: DatabaseSync): void {
  db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0');
}
