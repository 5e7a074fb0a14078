import { chmodSync, copyFileSync, existsSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../core/clock/index.ts';
import { LIMITS } from '../../core/config/index.ts';
import { DatabaseCorruptionError, PersistenceError } from '../../core/errors/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { Damage } from '../store.ts';
import { DatabaseFile } from './database-file.ts';
import {
  createPrivateFolder,
  incomingPathOf,
  inspectMainFile,
  keepReplaced,
  LOG_SUFFIXES,
  OWNER_FILE,
  ownerOf,
  RedoFile,
  removeInterruptedRestore,
  syncFile,
  syncFolderOf,
  takeOwnerLock,
} from './files/index.ts';
import { guarded } from './sqlite-errors.ts';
import { damagedIndexes, JobThreads, renewIndexes, seal, streamDamage } from './threads/index.ts';

/** For a file that only this process knows, and that is synced as a whole in the end. */
const CONNECTION = {
  walMode: true,
  busyTimeoutMs: 0,
  pageCacheBytes: 16 * 1024 * 1024,
  synchronous: 'normal',
} as const;

export interface RestoreOptions {
  readonly backupPath: string;
  /** Path of the database to replace. It must not be open. */
  readonly path: string;
  readonly pid: number;
  readonly clock: Clock;
  /** Ends the verification of the backup; then nothing was changed. */
  readonly signal?: AbortSignal;
}

/**
 * The damage in a database file that nobody has open, such as a backup; an empty list: it can be trusted. Throws
 * DATABASE_CORRUPT for a file that is not a database of ours, FORMAT_TOO_NEW for one of a later release. A signal ends it.
 */
export async function verifySqliteFile(
  path: string,
  { clock, signal }: Pick<RestoreOptions, 'clock' | 'signal'>,
): Promise<Damage[]> {
  const main = guarded(path, () => inspectMainFile(path));
  if (main.kind === 'absent' || main.kind === 'empty') return [{ kind: 'file', problem: `${path} holds no database` }];
  const threads = new JobThreads(clock);
  try {
    const found: Damage[] = [];
    for await (const damage of streamDamage(threads, path, signal)) found.push(damage);
    return found;
  } finally {
    await threads.close();
  }
}

/**
 * Replaces a database by a verified backup, or by a database file with the logs beside it, such as one that was replaced before.
 * Returns the path to which the replaced file was set aside; undefined if there was none. Rejects with DATABASE_LOCKED while either of
 * the two is open, BACKUP_INVALID if the backup is damaged. The exchange is one rename: after a crash there is either the old database
 * or the restored one.
 */
export async function restoreSqliteFile(options: RestoreOptions): Promise<string | undefined> {
  const { backupPath, clock } = options;
  const path = resolve(options.path);
  refuseOpen(backupPath);
  guarded(path, () => createPrivateFolder(dirname(path)));
  const lock = takeOwnerLock(path, options.pid);
  const incoming = incomingPathOf(path);
  try {
    guarded(path, () => removeInterruptedRestore(path));
    const logs = logsOf(backupPath);
    if (logs.length === 0) {
      const rotten = await verified(backupPath, options);
      guarded(path, () => copyWhole(backupPath, incoming, logs, clock));
      guarded(path, () => renewIndexes(incoming, rotten));
    } else {
      // What the logs hold is read only once they are applied, which must not happen to the backup itself.
      guarded(path, () => copyWhole(backupPath, incoming, logs, clock));
      renewIndexes(incoming, await verified(incoming, options));
    }
    return guarded(path, () => exchange(incoming, path, clock.now()));
  } finally {
    cleanUp(path);
    lock.release();
  }
}

function cleanUp(path: string): void {
  try {
    removeInterruptedRestore(path);
  } catch {
    // The next opening does it.
  }
}

/** The ids of indexes that must be rebuilt. Throws BACKUP_INVALID if anything else is damaged. */
async function verified(file: string, { backupPath, clock, signal }: RestoreOptions): Promise<number[]> {
  const damage = await verifySqliteFile(file, { clock, ...(signal && { signal }) });
  const lasting = damage.filter(({ kind }) => kind !== 'index');
  if (lasting.length > 0) throw invalidError(backupPath, lasting);
  return damagedIndexes(damage);
}

/** The suffixes of the logs that hold a part of the file. A backup is complete without: what lies beside it is not its own. */
function logsOf(backupPath: string): string[] {
  const main = guarded(backupPath, () => inspectMainFile(backupPath));
  if (main.kind !== 'unreadable' && !(main.kind === 'ours' && main.generation > 0)) return [];
  return LOG_SUFFIXES.filter((suffix) => suffix !== '-shm' && existsSync(backupPath + suffix));
}

/** Copies the file, applies its logs, and seals it, so that opening it takes a new replica id. */
function copyWhole(backupPath: string, incoming: string, logs: readonly string[], clock: Clock): void {
  for (const suffix of ['', ...logs]) {
    copyFileSync(backupPath + suffix, incoming + suffix);
    // The backup may be readable by everybody, or not writable.
    chmodSync(incoming + suffix, OWNER_FILE);
  }
  if (logs.length > 0) applyLogs(backupPath, incoming, clock);
  seal(incoming);
}

function applyLogs(backupPath: string, incoming: string, clock: Clock): void {
  const redo = new RedoFile(incoming, (file) => file.datasync(), silentLogger);
  const file = new DatabaseFile(
    { path: incoming, connection: CONNECTION, limits: LIMITS, clock, onDamagedEntry: () => {} },
    redo,
  );
  try {
    if (file.isRedoCut) throw cutError(backupPath);
    file.settled();
  } finally {
    file.close();
  }
}

/** The incoming file takes the place of the main file. The old one and its logs are kept under other names. */
function exchange(incoming: string, path: string, nowMs: number): string | undefined {
  syncFile(incoming);
  const replaced = keepReplaced(path, nowMs);
  try {
    renameSync(incoming, path);
  } catch (error) {
    replaced.undo();
    throw error;
  }
  syncFolderOf(path);
  replaced.finish();
  return replaced.aside;
}

/** A file that is open changes while it is copied, and then the copy is of no moment. */
function refuseOpen(backupPath: string): void {
  const pid = ownerOf(backupPath);
  if (pid === undefined) return;
  const message = `process ${pid} has ${backupPath} open, so it is no backup; make one of it with \`entgldb backup\``;
  throw new PersistenceError('DATABASE_LOCKED', message, { details: { path: backupPath, pid } });
}

function invalidError(path: string, damage: readonly Damage[]): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `the backup ${path} is damaged (${damage.length} things); nothing was changed. Choose another one`,
    { reason: 'BACKUP_INVALID', details: { path, damage: damage.slice(0, 10) } },
  );
}

function cutError(path: string): DatabaseCorruptionError {
  const log = `${path}-redo`;
  return new DatabaseCorruptionError(
    `the log ${log} is damaged, so the newest writes cannot be read; nothing was changed. Move it away to restore without them`,
    { reason: 'BACKUP_INVALID', details: { path: log } },
  );
}
