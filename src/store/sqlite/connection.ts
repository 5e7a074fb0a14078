import { DatabaseSync } from 'node:sqlite';
import { readPragma } from './read-pragma.ts';

/** How long the maintenance thread waits while the writer finishes a checkpoint of its own. */
const CHECKPOINT_BUSY_MS = 1000;
/**
 * How long it waits to read a file without a write-ahead log, which each commit locks for a moment: a writer that never rests leaves
 * few moments between two of them.
 */
export const READER_BUSY_MS = 30_000;

/**
 * A statement waits no longer than this once the database is open: it waits on the thread that everything else runs on. Writes
 * are tried again for `busyTimeoutMs` by whoever can wait without blocking (`Writer`).
 */
const RUNNING_BUSY_MS = 50;

export interface ConnectionOptions {
  /** How long to wait for another process that locks the file. */
  readonly busyTimeoutMs: number;
  /** Bytes of the file's pages that SQLite keeps in memory. */
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
    // Freed pages can then be given back in small steps. Only a file without pages takes it.
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

/** Ends the patience with which the database was opened. */
export function setRunning(db: DatabaseSync, { busyTimeoutMs }: Pick<ConnectionOptions, 'busyTimeoutMs'>): void {
  db.exec(`PRAGMA busy_timeout = ${Math.min(busyTimeoutMs, RUNNING_BUSY_MS)}`);
}

/** A second connection of the same process, which reads only, and waits so long for whoever locks the file. */
export function openReader(path: string, busyMs = 0): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, allowExtension: false, timeout: busyMs });
  harden(db);
  return db;
}

/** A second connection of the same process, for checkpoints: it takes no lock that a writer could wait for. */
export function openCheckpointer(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: CHECKPOINT_BUSY_MS, allowExtension: false });
  harden(db);
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  return db;
}

function harden(db: DatabaseSync): void {
  db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0');
}
