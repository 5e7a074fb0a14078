import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PersistenceError } from '../../core/errors/index.ts';
import { fileProblem, isMissing } from './file-errors.ts';

/** What a setting wants at its path. */
type PathKind = 'file' | 'folder';

/**
 * What keeps a path from being a file or a folder: something of another kind there or above it, or a link to nowhere. The sentence says
 * what to do. Undefined: nothing, as far as can be seen; what is missing can be made.
 */
export async function pathProblem(path: string, kind: PathKind): Promise<string | undefined> {
  try {
    if ((await unlessMissing(lstat, path)) === undefined)
      return dirname(path) === path ? undefined : await pathProblem(dirname(path), 'folder');
    const found = await unlessMissing(stat, path);
    if (found === undefined) return `${path} is a link to something that is not there; is its disk mounted?`;
    if (kind === 'folder' ? found.isDirectory() : found.isFile()) return undefined;
    const what = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'pipe or a device';
    return `${path} is a ${what}, and a ${kind} belongs there; move it away, or choose another path`;
  } catch (error) {
    return `${path} cannot be looked at: ${fileProblem(error)}; check its path, and who owns it`;
  }
}

/** Throws PERSISTENCE_ERROR / IO_FAILED that names the setting if its path cannot be what it wants. */
export async function requirePath(setting: string, path: string, kind: PathKind): Promise<void> {
  const problem = await pathProblem(path, kind);
  if (problem === undefined) return;
  throw new PersistenceError('IO_FAILED', `${setting}: ${problem}`, { details: { key: setting, path } });
}

/** Undefined if nothing is there. */
async function unlessMissing<T>(look: (path: string) => Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await look(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
