import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../core/clock/index.ts';
import { LIMITS } from '../../core/config/index.ts';
import { DatabaseCorruptionError, isEntglDbError, PersistenceError } from '../../core/errors/index.ts';
import type { ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { DamagedEntry, LogLimits } from '../store.ts';
import type { AsideLimits } from './aside-queries.ts';
import {
  createPrivateFile,
  createPrivateFolder,
  type DataSync,
  describesGeneration,
  inspectMainFile,
  isFirstOpening,
  LOG_SUFFIXES,
  type MainFile,
  type Marker,
  markerPathOf,
  readMarker,
  readOrigins,
  removeInterruptedRestore,
  setStrayLogsAside,
  syncFolderOf,
  takeOwnerLock,
} from './files/index.ts';
import { guarded } from './sqlite-errors.ts';
import { type FoundFiles, SqliteStore } from './sqlite-store.ts';

export interface SqliteStoreOptions {
  /** Path of the main file. Beside it lie `-wal`, `-shm`, `-redo`, `.marker`, `.lock` and `.pid`. Missing folders are made. */
  readonly path: string;
  /**
   * `full`: a resolved `flush` survives a power cut. `normal`: it survives the end of the process, but a power cut may undo
   * the newest commits, whole ones. Default `full`.
   */
  readonly durability?: 'full' | 'normal';
  /** False: rollback journal instead of a write-ahead log, and every commit waits for the disk. Default true. */
  readonly walMode?: boolean;
  /** How long to wait for another program that has locked the file. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** Size of SQLite's page cache. Default 16 MiB. */
  readonly pageCacheBytes?: number;
  readonly limits?: Partial<LogLimits & AsideLimits>;
  /** Identifies this machine, so that a file copied from another one is recognised. Empty: unknown. */
  readonly machineId: string;
  /** Id of this process, for the error that a second opener gets. */
  readonly pid: number;
  /** Whether the process with this id may own the database, though its lock was dropped. Default: none. */
  readonly mayBeOwner?: (pid: number) => boolean;
  readonly clock: Clock;
  /** A clock whose timers keep the process alive, for work that a caller awaits. Default: `clock`. */
  readonly awaitedClock?: Clock;
  readonly logger: Logger;
  /** Called, perhaps again and again, for an entry of a side table that a read left out because it is damaged. Default: nothing. */
  readonly onDamagedEntry?: (entry: DamagedEntry) => void;
  /** Makes a file durable; tests let it fail. Default: `fdatasync`. */
  readonly dataSync?: DataSync;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;
const DEFAULT_PAGE_CACHE_BYTES = 16 * 1024 * 1024;

/**
 * Opens the database; makes it if there is no file. Rejects with DATABASE_LOCKED (details: pid) while another process owns
 * it, FORMAT_TOO_NEW, DATABASE_CORRUPT for a file that is damaged or not ours, PERMISSION_DENIED, DISK_FULL or IO_FAILED. A
 * file that cannot be opened is left unchanged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const path = resolve(options.path);
  guarded(path, () => {
    createPrivateFolder(dirname(path));
    refuseFolders(path);
  });
  const lock = takeOwnerLock(path, options.pid, options.mayBeOwner);
  let isLogGone = false;
  try {
    isLogGone = guarded(path, () => lacksLog(path));
    const found = guarded(path, () => prepareFiles(path, options));
    const walMode = options.walMode ?? true;
    const durability = options.durability ?? 'full';
    return guarded(
      path,
      () =>
        new SqliteStore({
          path,
          found,
          durability,
          machineId: options.machineId,
          limits: { ...LIMITS, ...options.limits },
          clock: options.clock,
          awaitedClock: options.awaitedClock ?? options.clock,
          logger: options.logger,
          dataSync: options.dataSync ?? ((file) => file.datasync()),
          lock,
          onDamagedEntry: options.onDamagedEntry ?? (() => {}),
          connection: {
            walMode,
            busyTimeoutMs: options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS,
            pageCacheBytes: options.pageCacheBytes ?? DEFAULT_PAGE_CACHE_BYTES,
            synchronous: !walMode && durability === 'full' ? 'full' : 'normal',
          },
        }),
    );
  } catch (error) {
    lock.release();
    throw isLogGone && isEntglDbError(error, 'DATABASE_CORRUPT') ? logGoneError(path, error) : error;
  }
}

/** The replica id of the last life of a database that need not be open, as its marker has it; undefined if it is not known. */
export function lastLifeOf(path: string): ReplicaId | undefined {
  return readMarker(markerPathOf(path))?.replica ?? undefined;
}

/** Whether the database file is missing although its marker says that there was one. */
export function isFileGone(path: string): boolean {
  if (existsSync(path)) return false;
  const marker = readMarker(markerPathOf(path));
  return marker !== undefined && !isFirstOpening(marker);
}

/**
 * Whether the main file cannot be read alone, the last stop could not copy the log into it, as on a full disk, and the log is not there:
 * somebody moved or removed it.
 */
function lacksLog(path: string): boolean {
  if (existsSync(`${path}-wal`) || readMarker(markerPathOf(path))?.state !== 'opening') return false;
  return inspectMainFile(path).kind === 'unreadable';
}

function logGoneError(path: string, cause: Error): DatabaseCorruptionError {
  const log = `${path}-wal`;
  return new DatabaseCorruptionError(
    `the log ${log} is missing, and the database cannot be read without it, because the disk was full when it was stopped; put the log back, or restore a backup with \`entgldb restore\`, or move the file away to fetch all from peers`,
    { details: { path, log }, cause },
  );
}

/** Makes sure that SQLite may open the main file: it is ours, and no other file's log lies beside it. Returns what was odd. */
function prepareFiles(path: string, { clock, logger }: SqliteStoreOptions): FoundFiles {
  removeInterruptedRestore(path);
  const main = inspectMainFile(path);
  const marker = readMarker(markerPathOf(path));
  refuseOtherNames(path, main, marker);
  if (main.kind === 'empty' && marker !== undefined && !isFirstOpening(marker)) throw emptiedError(path);
  const isGone = isFileGone(path);
  if (isGone) logger.warn({ path }, 'the database file is gone; a new one is made');
  const aside = setStrayLogsAside(path, main, marker, readOrigins(markerPathOf(path)), clock.now());
  if (aside.length > 0) logger.warn({ path, aside }, 'logs of another database file were set aside');
  if (main.kind === 'absent') {
    createPrivateFile(path);
    syncFolderOf(path);
  }
  return { ...(isGone && { isGone }), ...(aside.length > 0 && { logsAside: aside }) };
}

/** Names a folder in the way; the errors of SQLite and the system would blame permissions or the disk. */
function refuseFolders(path: string): void {
  for (const suffix of ['', ...LOG_SUFFIXES, '.marker', '.lock', '.pid']) {
    const file = path + suffix;
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    const message = `${file} is a folder, and a file of the database belongs there; move the folder away`;
    throw new PersistenceError('IO_FAILED', message, { details: { path: file } });
  }
}

/**
 * A file with two names would have two locks and two logs, so two owners would overwrite each other's data. Under the name
 * by which it was last opened it stays usable, even if another name links to it.
 */
function refuseOtherNames(path: string, main: MainFile, marker: Marker | undefined): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (main.kind === 'absent' && found?.isSymbolicLink() === true) {
    const message = `${path} is a link to a file that is not there; is its disk mounted?`;
    throw new PersistenceError('IO_FAILED', message, { details: { path } });
  }
  const isDescribed = main.kind === 'ours' && marker !== undefined && describesGeneration(marker, main.generation);
  // After a crash during a checkpoint the main file cannot be read without its log.
  const isKnown = isDescribed || (main.kind === 'unreadable' && marker !== undefined);
  if (found === undefined || !found.isFile() || found.nlink === 1 || isKnown) return;
  const message = `${path} is a second name (hard link) of a file elsewhere, which may be in use there; copy the file instead`;
  throw new PersistenceError('IO_FAILED', message, { details: { path, names: found.nlink } });
}

function emptiedError(path: string): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `the database ${path} is empty but was not before; restore a backup with \`entgldb restore\`, or remove it to fetch all from peers`,
    { details: { path } },
  );
}
