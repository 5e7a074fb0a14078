import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { isEntglDbError, PersistenceError } from '../../../core/errors/index.ts';
import type { Damage } from '../../store.ts';
import { openReader, READER_BUSY_MS } from '../connection.ts';
import { createPrivateFile, createPrivateFolder, syncFolderOf } from '../files/index.ts';
import { readPragma } from '../read-pragma.ts';
import { guarded, toStoreError } from '../sqlite-errors.ts';
import { formatOf, MetaTable } from '../tables/index.ts';
import { checkDatabase } from './check-database.ts';
import type { CopyTarget, JobContext } from './jobs.ts';
import { damagedIndexes, renewIndexes } from './renew-indexes.ts';

/** Pages copied in one step: 256 KiB. */
const PAGES_PER_STEP = 64;
/** Most examples of damage in an error. */
const EXAMPLES_MAX = 10;

/** A verified, sealed, durable copy of a database that may be in use. See `MaintainableStore.backup`. */
export async function copyDatabase(
  path: string,
  { toPath, writer, overwrite }: CopyTarget,
  context: JobContext,
): Promise<void> {
  if (!overwrite && existsSync(toPath)) throw existsError(toPath);
  const partial = `${toPath}.${writer}.partial`;
  guarded(toPath, () => {
    createPrivateFolder(dirname(toPath));
    removeWithLogs(partial);
  });
  try {
    await copyPages(path, partial, context);
    if (context.isStopped()) return;
    seal(partial);
    renewIndexes(partial, verify(partial, context));
    if (context.isStopped()) return;
    publish(partial, toPath, overwrite);
  } catch (error) {
    throw copyError(error, toPath);
  } finally {
    removeWithLogs(partial);
  }
}

/** Errors of the copy's disk name the copy, so that nobody looks for them at the database. */
function copyError(error: unknown, toPath: string): unknown {
  const failure = toStoreError(error, toPath);
  return isEntglDbError(failure, 'DATABASE_CORRUPT') ? error : failure;
}

/**
 * Runs a function with the path of a temporary copy of the open database, for when the database's own path leads nowhere or
 * to another file. The copy is removed afterwards.
 */
export async function withOpenCopy<T>(db: DatabaseSync, toPath: string, run: (path: string) => Promise<T>): Promise<T> {
  const copy = `${toPath}.open`;
  createPrivateFolder(dirname(toPath));
  removeWithLogs(copy);
  try {
    createPrivateFile(copy);
    await backup(db, copy, { rate: PAGES_PER_STEP });
    return await run(copy);
  } finally {
    removeWithLogs(copy);
  }
}

/** Copies the database as of one moment: the reading transaction stays open until all pages are copied. */
async function copyPages(path: string, partial: string, context: JobContext): Promise<void> {
  createPrivateFile(partial);
  const source = guarded(path, () => openReader(path, READER_BUSY_MS));
  try {
    guarded(path, () => {
      source.exec('BEGIN');
      source.prepare('SELECT count(*) FROM meta').get();
    });
    await backup(source, partial, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => {
        if (context.isStopped()) throw new StoppedError();
        context.onProgress(totalPages === 0 ? 0 : (totalPages - remainingPages) / totalPages);
      },
    });
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
  } finally {
    source.close();
  }
}

/** Marks the copy, so that opening it takes a new replica id, no log of the original fits it, and it is not taken for the original (`MainMark`). */
export function seal(partial: string): void {
  const copy = new DatabaseSync(partial);
  try {
    const format = formatOf(readPragma(copy, 'user_version'));
    copy.exec(`PRAGMA journal_mode = DELETE; PRAGMA user_version = ${format}; BEGIN`);
    const meta = new MetaTable(copy);
    meta.set('sealed', '1');
    meta.set('generation', '0');
    copy.exec('COMMIT');
  } finally {
    copy.close();
  }
}

/** Returns the ids of indexes that must be rebuilt. Throws BACKUP_FAILED if anything else is damaged. */
function verify(partial: string, context: JobContext): number[] {
  const found: Damage[] = [];
  const copy = openReader(partial);
  try {
    checkDatabase(copy, { ...context, onDamage: (damage) => found.push(damage) });
  } finally {
    copy.close();
  }
  const problems = found.filter(({ kind }) => kind !== 'index');
  if (problems.length === 0) return damagedIndexes(found);
  throw new PersistenceError(
    'BACKUP_FAILED',
    `the copy holds ${problems.length} damaged things, so the database does; no backup was made. Run a check`,
    { details: { path: partial, problems: problems.slice(0, EXAMPLES_MAX).map((damage) => JSON.stringify(damage)) } },
  );
}

function publish(partial: string, toPath: string, overwrite: boolean): void {
  const file = openSync(partial, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (overwrite) renameSync(partial, toPath);
  else publishNew(partial, toPath);
  syncFolderOf(toPath);
}

/** Uses a link, which unlike a rename never replaces a file that appeared meanwhile. Some file systems have no links. */
function publishNew(partial: string, toPath: string): void {
  try {
    linkSync(partial, toPath);
  } catch (error) {
    if (existsSync(toPath)) throw existsError(toPath);
    if (!(error instanceof Error)) throw error;
    renameSync(partial, toPath);
  }
}

function removeWithLogs(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

function existsError(toPath: string): PersistenceError {
  return new PersistenceError(
    'BACKUP_EXISTS',
    `${toPath} exists; name another file, remove that one, or set overwrite in a program`,
    {
      details: { path: toPath },
    },
  );
}

class StoppedError extends Error {}
