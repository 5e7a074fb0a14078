import { statfs } from 'node:fs/promises';
import type { DiskSpace } from '../../diagnostics/index.ts';
import { toFileError } from './file-errors.ts';

/** Space on the file system that holds `path`, as available to an ordinary user. */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    throw toFileError(error, path);
  }
}
