import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

/** Makes the missing folders of a file's path, for their owner only. */
export function createPrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_FOLDER });
}

/** Makes an empty file, for its owner only. SQLite gives the files that it makes beside it the same mode. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', OWNER_FILE));
}

/** Makes durable which files are in the folder of `path`. */
export function syncFolderOf(path: string): void {
  let folder: number;
  try {
    folder = openSync(dirname(path), 'r');
  } catch {
    // Windows cannot open a folder; there, the file system's own log keeps its entries.
    return;
  }
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
