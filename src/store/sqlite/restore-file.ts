import { closeSync, copyFileSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../core/clock/index.ts';
import { DatabaseCorruptionError } from '../../core/errors/index.ts';
import type { Damage } from '../store.ts';
import { createPrivateFolder, inspectMainFile, LOG_SUFFIXES, syncFolderOf, takeOwnerLock } from './files/index.ts';
import { damagedIndexes, Maintenance, renewIndexes, streamDamage } from './maintenance/index.ts';
import { guarded } from './sqlite-errors.ts';

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
  const maintenance = new Maintenance(clock);
  try {
    const found: Damage[] = [];
    for await (const damage of streamDamage(maintenance, path, signal)) found.push(damage);
    return found;
  } finally {
    await maintenance.close();
  }
}

/**
 * Replaces a database by a verified backup. Returns the path to which the replaced file was set aside; undefined if there
 * was none. Rejects with DATABASE_LOCKED while the database is open, BACKUP_INVALID if the backup is damaged. The exchange
 * is one rename: after a crash there is either the old database or the restored one.
 */
export async function restoreSqliteFile(options: RestoreOptions): Promise<string | undefined> {
  const { backupPath, clock, signal } = options;
  const path = resolve(options.path);
  guarded(path, () => createPrivateFolder(dirname(path)));
  const lock = takeOwnerLock(path, options.pid);
  try {
    const damage = await verifySqliteFile(backupPath, { clock, ...(signal && { signal }) });
    const lasting = damage.filter(({ kind }) => kind !== 'index');
    if (lasting.length > 0) throw invalidError(backupPath, lasting);
    return guarded(path, () => exchange(backupPath, path, Math.floor(clock.now()), damagedIndexes(damage)));
  } finally {
    lock.release();
  }
}

/** The old file and its logs are kept under other names, as they may hold what the backup lacks. */
function exchange(backupPath: string, path: string, nowMs: number, rotten: readonly number[]): string | undefined {
  const incoming = `${path}.restoring`;
  const aside = existsSync(path) ? `${path}.replaced-${nowMs}` : undefined;
  try {
    copyFileSync(backupPath, incoming);
    renewIndexes(incoming, rotten);
    syncFile(incoming);
    if (aside !== undefined) keepAs(path, aside);
    renameSync(incoming, path);
    syncFolderOf(path);
    for (const suffix of LOG_SUFFIXES) {
      if (existsSync(path + suffix)) renameSync(path + suffix, (aside ?? `${path}.replaced-${nowMs}`) + suffix);
    }
    return aside;
  } finally {
    rmSync(incoming, { force: true });
  }
}

/** Gives the file a second name, or makes a copy if the file system has no links. */
function keepAs(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    copyFileSync(path, aside);
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function invalidError(path: string, damage: readonly Damage[]): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `the backup ${path} is damaged (${damage.length} things); nothing was changed. Choose another one`,
    { reason: 'BACKUP_INVALID', details: { path, damage: damage.slice(0, 10) } },
  );
}
