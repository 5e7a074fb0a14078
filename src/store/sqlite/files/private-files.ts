import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Mode of a file that only its owner may access. */
export const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

/**
 * Makes the folder and its missing parents, accessible to their owner only. One by one: Node's own recursive form never ends where the
 * system says that the parent is missing although it is there, as in /proc.
 */
export function createPrivateFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) createPrivateFolder(dirname(path));
  try {
    mkdirSync(path, { mode: OWNER_FOLDER });
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Makes an empty file, accessible to its owner only. SQLite gives the files beside it the same mode. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', OWNER_FILE));
}

/** Makes the entries of the folder of `path` durable. */
export function syncFolderOf(path: string): void {
  let folder: number;
  try {
    folder = openSync(dirname(path), 'r');
  } catch {
    // Windows cannot open a folder; there the file system's own log protects its entries.
    return;
  }
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
