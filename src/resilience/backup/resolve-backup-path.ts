import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { PersistenceError } from '../../core/errors/index.ts';
import type { BackupFiles } from './backup-files.ts';
import { automaticTime, isPartial, LATEST_NAME } from './backup-name.ts';

/** Where backups lie; all paths are absolute. */
export interface BackupPlace {
  readonly folder: string;
  /** Names with a folder part are relative to it. */
  readonly base: string;
  readonly databasePath: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the purpose
const REFUSED_CHARACTERS = /[\u0000-\u001f\u007f<>:"|?*\\]/;
/** Names that Windows reserves for devices, whatever follows the first dot. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
const PART_BYTES_MAX = 200;

/**
 * The path of a manual backup. A bare name lies in the backup folder. Any other is relative to `base` and must lie in the backup
 * folder too, without a symbolic link below it. Missing folders are created.
 *
 * Throws PERSISTENCE_ERROR / INVALID_NAME for a name that is not a file inside the folder, is reserved for `latest.db` and
 * automatic backups, or is a file of the database.
 */
export async function resolveBackupPath(files: BackupFiles, place: BackupPlace, name: string): Promise<string> {
  const inside = innerParts(place, name);
  const fileName = inside.at(-1)!;
  if (fileName === LATEST_NAME || automaticTime(fileName) !== undefined || isPartial(fileName))
    throw refused(name, 'is kept for automatic backups');
  await files.makeFolder(place.folder);
  const root = await realFolder(files, place.folder, name);
  let folder = root;
  for (const part of inside.slice(0, -1)) {
    folder = join(folder, part);
    const kind = await files.kindOf(folder);
    if (kind === undefined) await files.makeFolder(folder);
    else if (kind !== 'folder') throw refused(name, `leads through ${part}, which is not a folder`);
  }
  const path = join(folder, fileName);
  const kind = await files.kindOf(path);
  if (kind !== undefined && kind !== 'file') throw refused(name, 'is not a plain file');
  const database = (await files.realPath(place.databasePath)) ?? place.databasePath;
  if (path.startsWith(database)) throw refused(name, 'is a file of the database itself');
  return path;
}

/** The parts of the name below the backup folder. */
function innerParts({ folder, base }: BackupPlace, name: string): string[] {
  if (name === '' || name.includes('\0')) throw refused(name, 'is no file name');
  if (name.split(/[/\\]/).includes('..')) throw refused(name, 'leads upwards');
  const path = isBare(name) ? resolve(folder, name) : resolve(base, name);
  const inner = relative(folder, path);
  if (inner === '' || inner.startsWith('..') || isAbsolute(inner)) throw refused(name, `does not lie in ${folder}`);
  const parts = inner.split(sep);
  const bad = parts.find((part) => !isPortable(part));
  if (bad !== undefined) throw refused(name, `has the part ${JSON.stringify(bad)}, which is no portable file name`);
  return parts;
}

function isBare(name: string): boolean {
  return !isAbsolute(name) && basename(name) === name && dirname(name) === '.';
}

function isPortable(part: string): boolean {
  const isTooLong = Buffer.byteLength(part) > PART_BYTES_MAX;
  return !isTooLong && !REFUSED_CHARACTERS.test(part) && !DEVICE.test(part) && !/[. ]$/.test(part);
}

async function realFolder(files: BackupFiles, folder: string, name: string): Promise<string> {
  const real = await files.realPath(folder);
  if (real === undefined || (await files.kindOf(real)) !== 'folder') throw refused(name, `${folder} is not a folder`);
  return real;
}

function refused(name: string, why: string): PersistenceError {
  return new PersistenceError(
    'INVALID_NAME',
    `the backup name ${JSON.stringify(name.slice(0, 200))} ${why}; name a file in Persistence.BackupPath`,
    { details: { name: name.slice(0, 200) } },
  );
}
