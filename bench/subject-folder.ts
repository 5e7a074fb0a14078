import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A folder inside the subject's own, created if it does not exist. */
export function inOwnFolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
