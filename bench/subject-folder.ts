import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A folder in the subject's own, made if it is not there. */
export function inOwnFolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
