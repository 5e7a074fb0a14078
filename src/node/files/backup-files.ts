import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PersistenceError } from '../../core/errors/index.ts';
import type { BackupFile, BackupFiles } from '../../resilience/index.ts';
import { isMissing, toFileError } from './file-errors.ts';
import { pathProblem } from './path-problem.ts';
import { makePrivateFolder } from './private-folder.ts';
import { syncFolder } from './sync-folder.ts';

/** The real file system, for backups. Its errors are converted to PersistenceError. */
export const backupFiles: BackupFiles = {
  makeFolder: (path) =>
    guarded(path, async () => {
      try {
        await makePrivateFolder(path);
      } catch (cause) {
        const problem = await pathProblem(path, 'folder');
        throw problem === undefined ? cause : new PersistenceError('IO_FAILED', problem, { details: { path }, cause });
      }
    }),
  realPath: (path) => unlessMissing(path, () => realpath(path)),
  kindOf: (path) =>
    unlessMissing(path, async () => {
      const found = await lstat(path);
      if (found.isSymbolicLink()) return 'link';
      if (found.isFile()) return 'file';
      return found.isDirectory() ? 'folder' : 'other';
    }),
  list: async (folder) => {
    const entries = (await unlessMissing(folder, () => readdir(folder, { withFileTypes: true }))) ?? [];
    const files = entries.filter((entry) => entry.isFile());
    const found = await Promise.all(files.map(({ name }) => describe(folder, name)));
    return found.filter((file) => file !== undefined);
  },
  replaceWithCopy: (from, to) => guarded(to, () => replaceWithCopy(from, to)),
  remove: (path) => guarded(path, () => rm(path, { force: true })),
};

/** Undefined for a file that has disappeared meanwhile. */
function describe(folder: string, name: string): Promise<BackupFile | undefined> {
  return unlessMissing(join(folder, name), async () => {
    const { size, mtimeMs } = await lstat(join(folder, name));
    return { name, bytes: size, modifiedMs: mtimeMs };
  });
}

/** Shares blocks if the file system can, so that the copy costs almost nothing. */
async function replaceWithCopy(from: string, to: string): Promise<void> {
  // Another node may be copying to the same folder.
  const partial = `${to}.${randomUUID()}.partial`;
  try {
    await copyFile(from, partial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await syncFile(partial);
    await rename(partial, to);
    await syncFolder(dirname(to));
  } finally {
    await rm(partial, { force: true });
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function unlessMissing<T>(path: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw toFileError(error, path);
  }
}

async function guarded<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toFileError(error, path);
  }
}
