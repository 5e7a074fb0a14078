import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../../core/clock/index.ts';
import { isEntglDbError, messageOf } from '../../../core/errors/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import { fileProblem, pathProblem } from '../../files/index.ts';
import { formatAgo, formatBytes } from '../format.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** Warn if less than this is free beyond the size of the database itself. */
const FREE_BYTES_MIN = 200 * 1024 * 1024;

/** Checks that database, backups and log exist or can be made, and have room. */
export async function checkStorage(config: LoadedConfig, clock: Clock): Promise<Finding[]> {
  return [await checkDatabase(config), await checkBackups(config, clock), await checkLog(config)];
}

async function checkDatabase({ values, dataDirectory }: LoadedConfig): Promise<Finding> {
  const path = values['Persistence.DatabasePath'];
  const problem = (await pathProblem(path, 'file')) ?? (await writeProblem(dataDirectory));
  if (problem !== undefined) return failed('database file', problem);
  const size = await fileBytes(path);
  const free = await freeBytes(dataDirectory);
  if (free < size + FREE_BYTES_MIN) {
    return warning('database file', `${path}: only ${formatBytes(free)} free on its disk; make room`);
  }
  const { isFileGone } = await import('../../../store/sqlite/index.ts');
  if (isFileGone(path)) {
    return failed('database file', `${path} is gone; put it back, or restore a backup with \`entgldb restore\``);
  }
  const damage = await damageOf(path, size);
  if (damage !== undefined) return failed('database file', damage);
  const what = size === 0 ? 'not there yet' : formatBytes(size);
  return ok('database file', `${path}: ${what}, ${formatBytes(free)} free on its disk`);
}

/**
 * Why the file cannot be opened, as far as its beginning tells. `check` reads everything. A file that a process has open is in the middle
 * of changes; its node says what is wrong with it.
 */
async function damageOf(path: string, size: number): Promise<string | undefined> {
  const [{ inspectMainFile, LOG_SUFFIXES }, { lastLifeOf, ownerOf }] = await Promise.all([
    import('../../../store/sqlite/files/index.ts'),
    import('../../../store/sqlite/index.ts'),
  ]);
  if (ownerOf(path) !== undefined) return undefined;
  try {
    const { kind } = inspectMainFile(path);
    if (kind === 'empty' && lastLifeOf(path) !== undefined)
      return `${path} is empty but was not before; restore a backup with \`entgldb restore\``;
    // With logs, the newest state of its pages is there.
    const logBytes = await Promise.all(LOG_SUFFIXES.map((suffix) => fileBytes(path + suffix)));
    if (kind === 'unreadable' && logBytes.every((bytes) => bytes === 0))
      return `${path} (${formatBytes(size)}) cannot be read as a database; \`entgldb status\` says what to do`;
    return undefined;
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    return error.message;
  }
}

async function checkBackups(config: LoadedConfig, clock: Clock): Promise<Finding> {
  const { values } = config;
  const folder = values['Persistence.BackupPath'];
  if (folder === null) return warning('backups', 'none; set Persistence.BackupPath, best on another disk');
  if (!values['Persistence.EnableAutoBackup']) return warning('backups', 'Persistence.EnableAutoBackup is off');
  const problem = (await pathProblem(folder, 'folder')) ?? (await writeProblem(folder));
  if (problem !== undefined) return failed('backups', problem);
  let newest: number | null;
  try {
    newest = await lastBackupMs(config, clock);
  } catch (error) {
    return failed('backups', messageOf(error));
  }
  const nowMs = clock.now();
  if (newest === null)
    return warning('backups', `${folder}: none of this database yet; \`entgldb backup\` makes one now`);
  const ageMax = 2 * values['Persistence.BackupIntervalMinutes'] * 60_000;
  const text = `${folder}: the newest was made ${formatAgo(newest, nowMs)}`;
  return nowMs - newest > ageMax ? warning('backups', `${text}; is the node running?`) : ok('backups', text);
}

async function checkLog({ values }: LoadedConfig): Promise<Finding> {
  const path = values['Logging.LogFilePath'];
  if (path === null) return ok('log', 'written to the standard error output');
  const problem = (await pathProblem(path, 'file')) ?? (await writeProblem(dirname(path)));
  return problem === undefined ? ok('log', `written to ${path}`) : failed('log', problem);
}

/** A folder that does not exist yet will be created, so the nearest existing one above it is checked. */
async function writeProblem(folder: string): Promise<string | undefined> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder) return writeProblem(dirname(folder));
    const remedy = code === 'EROFS' ? 'make the disk writable' : 'give the user of the node the right to';
    return `cannot write into ${folder}: ${fileProblem(error)} (${code}); ${remedy}, or choose another path`;
  }
}

async function fileBytes(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return Infinity;
    return freeBytes(dirname(folder));
  }
}

/** When the newest backup of the database as it is now was made, ms; null if there is none. Others may use the folder, too. */
async function lastBackupMs(config: LoadedConfig, clock: Clock): Promise<number | null> {
  const { backupsOfClosed } = await import('../../services/index.ts');
  const backups = backupsOfClosed(config, clock);
  await backups.findLast();
  return backups.lastBackupAt;
}
