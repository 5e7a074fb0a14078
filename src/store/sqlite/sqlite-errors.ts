import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { DatabaseCorruptionError, EntglDbError, PersistenceError } from '../../core/errors/index.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const PERM = 3;
export const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const INTERRUPT = 9;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const AUTH = 23;
export const NOTADB = 26;
/** Extended code: the file system itself found damage. */
const IOERR_CORRUPTFS = 8458;
/** Extended code: the file ends where a page should be. */
const IOERR_SHORT_READ = 522;
/** Extended code: no space for the index of the write-ahead log. */
const IOERR_SHMSIZE = 4874;
/** Primary codes of errors that keep a statement from running, whatever the file holds. */
const PASSING: readonly number[] = [
  PERM,
  BUSY,
  LOCKED,
  NOMEM,
  READONLY,
  INTERRUPT,
  IOERR,
  FULL,
  CANTOPEN,
  PROTOCOL,
  AUTH,
];

/** SQLite's message if the file lacks a table or column of ours: its schema was damaged, or somebody changed it. */
const FOREIGN_SCHEMA = /^no such (?:table|column):/;
/** Main file, log, and index of the log. */
const FILES_OF_A_CONNECTION = 3;
/** V8's message when the system gives it no memory for a buffer. */
const NO_MEMORY = 'Array buffer allocation failed';

/** Turns an error of SQLite or the file system into one of this library. Programming errors are returned unchanged. */
export function toStoreError(error: unknown, path: string): unknown {
  if (error instanceof EntglDbError || !(error instanceof Error)) return error;
  const details = { path };
  if ('errcode' in error && typeof error.errcode === 'number') return sqliteError(error, error.errcode, path);
  switch ('code' in error ? error.code : undefined) {
    // No stored number is beyond 2^53, so a bit must have flipped.
    case 'ERR_OUT_OF_RANGE':
      return corruptError(error, path, CORRUPT);
    case 'ENOSPC':
    case 'EDQUOT':
      return new PersistenceError('DISK_FULL', fullText(path), { details, cause: error });
    case 'EMFILE':
    case 'ENFILE':
      return new PersistenceError('IO_FAILED', tooManyFilesText(path), { details, cause: error });
    case 'EROFS':
      return new PersistenceError(
        'PERMISSION_DENIED',
        `${path} is on a disk that can only be read; make it writable, or choose another path`,
        {
          details,
          cause: error,
        },
      );
    case 'EACCES':
    case 'EPERM':
      return new PersistenceError('PERMISSION_DENIED', deniedText(path), { details, cause: error });
    default:
      return 'syscall' in error ? ioError(error, path) : error;
  }
}

/**
 * Whether an error says nothing about the content of a file: it is locked, memory or file handles have run out, or the disk
 * does not answer. Rows that cannot be read for such a reason must never count as damaged, because damaged rows are removed.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof EntglDbError) return error.cause !== undefined && isPassing(error.cause);
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && typeof error.errcode === 'number') {
    if (error.errcode === IOERR_CORRUPTFS || error.errcode === IOERR_SHORT_READ) return false;
    return PASSING.includes(error.errcode & 0xff);
  }
  return 'syscall' in error || error.message === NO_MEMORY;
}

/** Runs a step and turns what it throws into errors of this library (`toStoreError`). */
export function guarded<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toStoreError(error, path);
  }
}

function sqliteError(error: Error, code: number, path: string): PersistenceError {
  const details = { path, sqlite: code };
  switch (code & 0xff) {
    case CORRUPT:
    case NOTADB:
      return corruptError(error, path, code);
    case FULL:
      return new PersistenceError('DISK_FULL', fullText(path), { details, cause: error });
    case BUSY:
    case LOCKED:
      return new PersistenceError(
        'DATABASE_LOCKED',
        `another program is using the database ${path}; close it and try again`,
        { details, cause: error },
      );
    case CANTOPEN:
      return cannotOpenError(error, details);
    case PERM:
    case AUTH:
    case READONLY:
      return new PersistenceError('PERMISSION_DENIED', deniedText(path), { details, cause: error });
    default:
      if (FOREIGN_SCHEMA.test(error.message)) return corruptError(error, path, code);
      if (code === IOERR_SHMSIZE) return new PersistenceError('DISK_FULL', fullText(path), { details, cause: error });
      return code === IOERR_CORRUPTFS ? corruptError(error, path, code) : ioError(error, path, code);
  }
}

/**
 * SQLite does not say why, so the system is asked by opening other files. The database file is not touched: closing another
 * handle of it would drop SQLite's locks.
 */
function cannotOpenError(error: Error, details: { readonly path: string }): PersistenceError {
  const opened: number[] = [];
  try {
    while (opened.length < FILES_OF_A_CONNECTION) opened.push(openSync(devNull, 'r'));
  } catch (found) {
    const why = toStoreError(found, details.path);
    if (why instanceof PersistenceError) return why;
  } finally {
    for (const file of opened) closeSync(file);
  }
  return new PersistenceError('PERMISSION_DENIED', deniedText(details.path), { details, cause: error });
}

function corruptError(cause: Error, path: string, sqlite: number): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `the database ${path} is damaged (${cause.message}); restore a backup with \`entgldb restore\`, or move the file away to fetch all from peers`,
    { details: { path, sqlite }, cause },
  );
}

function ioError(cause: Error, path: string, sqlite?: number): PersistenceError {
  const remedy =
    'code' in cause && cause.code === 'ENOENT'
      ? 'check that files can be made there, or choose another path'
      : 'check the disk';
  return new PersistenceError('IO_FAILED', `reading or writing ${path} failed (${cause.message}); ${remedy}`, {
    details: { path, ...(sqlite === undefined ? {} : { sqlite }) },
    cause,
  });
}

function fullText(path: string): string {
  return `the disk is full: ${path} cannot grow; free some space and try again; a running node goes on by itself`;
}

function tooManyFilesText(path: string): string {
  return `${path} cannot be opened: too many files are open; close some, or allow this process more (\`ulimit -n\`)`;
}

function deniedText(path: string): string {
  return `${path} cannot be opened for writing; check that the folder exists and who owns it`;
}
