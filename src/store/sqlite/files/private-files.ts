import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

/** Makes the folder and its missing parents, accessible to their owner only. */
export function createPrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_FOLDER });
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
