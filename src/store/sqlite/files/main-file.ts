import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { DatabaseCorruptionError, PersistenceError } from '../../../core/errors/index.ts';
import { APPLICATION_ID, FORMAT, formatOf, MetaTable } from '../tables/index.ts';
import { isOtherOrigin } from './file-origin.ts';
import { describesGeneration, type Marker } from './marker.ts';
import { syncFolderOf } from './private-files.ts';

/** What the main file says on its own, without the log beside it. */
export type MainFile =
  | { readonly kind: 'absent' | 'empty' | 'unreadable' }
  | {
      readonly kind: 'ours';
      readonly format: number;
      readonly generation: number;
      /** See `file-origin.ts`; undefined in files of earlier releases. */
      readonly origin: string | undefined;
    };

/** Suffixes of the files that hold what is not in the main file yet: those of SQLite, and the redo log. */
export const LOG_SUFFIXES = ['-wal', '-shm', '-journal', '-redo'] as const;

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/**
 * Inspects the main file before SQLite may change anything. Throws DATABASE_CORRUPT for a file that is not a database of
 * ours, FORMAT_TOO_NEW for one of a later release. Must be called before the database is opened: see `takeOwnerLock`.
 */
export function inspectMainFile(path: string): MainFile {
  if (!existsSync(path)) return { kind: 'absent' };
  if (statSync(path).size === 0) return { kind: 'empty' };
  const header = readHeader(path);
  if (isHalfMade(path, header)) return { kind: 'empty' };
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw foreign(path, 'is no database');
  const format = formatOf(header.readUInt32BE(60));
  const application = header.readUInt32BE(68);
  // The first transaction of a new file writes both; a file without them was cut off before that, or is not ours.
  if (application !== APPLICATION_ID) return inspectUnmarked(path, application);
  if (format > FORMAT) {
    throw new PersistenceError(
      'FORMAT_TOO_NEW',
      `the database ${path} has format ${format}, this release reads up to ${FORMAT}; install a newer release`,
      { details: { path, format, supported: FORMAT } },
    );
  }
  const found = readAlone(path, (db) => {
    const meta = new MetaTable(db);
    return { generation: Number(meta.get('generation')), origin: meta.get('origin') };
  });
  return found !== undefined && Number.isSafeInteger(found.generation)
    ? { kind: 'ours', format, ...found }
    : { kind: 'unreadable' };
}

/**
 * Sets aside logs that belong to another main file, as when somebody copied a backup over the database. SQLite would mix the
 * two. Logs stay beside a main file that cannot be read alone, and if there is no marker to tell more, since they may hold
 * acknowledged commits. Returns the new paths.
 */
export function setStrayLogsAside(
  path: string,
  main: MainFile,
  marker: Marker | undefined,
  origins: readonly string[],
  nowMs: number,
): string[] {
  const isOther = main.kind === 'ours' && isOtherOrigin(main.origin, origins);
  const isStray = isOther || main.kind === 'absent' || (main.kind === 'ours' && !mayOwnLogs(main.generation, marker));
  if (!isStray) return [];
  const moved = LOG_SUFFIXES.map((suffix) => path + suffix)
    .filter((log) => existsSync(log))
    .map((log) => {
      const aside = `${log}.aside-${Math.floor(nowMs)}`;
      renameSync(log, aside);
      return aside;
    });
  if (moved.length > 0) syncFolderOf(path);
  return moved;
}

/** A backup has generation 0 and never has logs of its own. */
function mayOwnLogs(generation: number, marker: Marker | undefined): boolean {
  return generation > 0 && (marker === undefined || describesGeneration(marker, generation));
}

function inspectUnmarked(path: string, application: number): MainFile {
  const tables = readAlone(path, (db) => Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!.n));
  if (application !== 0 || tables !== 0) throw foreign(path, 'was not made by EntglDb or is damaged');
  return { kind: 'empty' };
}

/** Reads the main file as it is, without its log and without locks; undefined if that is not possible. */
function readAlone<T>(path: string, read: (db: DatabaseSync) => T): T | undefined {
  const url = pathToFileURL(path);
  url.search = 'immutable=1';
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(url, { readOnly: true });
    return read(db);
  } catch {
    // In the middle of a checkpoint the main file is no database without its log. Real damage is found after opening.
    return undefined;
  } finally {
    db?.close();
  }
}

/** Whether a power cut left the first page incomplete. SQLite empties such a file with the journal, durable before it. */
function isHalfMade(path: string, header: Buffer): boolean {
  return header.every((byte) => byte === 0) && existsSync(`${path}-journal`);
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(file);
  }
  return header;
}

function foreign(path: string, what: string): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `${path} ${what}; nothing was changed. Restore a backup over it, or name another DatabasePath`,
    { details: { path } },
  );
}
