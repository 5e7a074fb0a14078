import { statfs } from 'node:fs/promises';
import type { DiskSpace } from '../../diagnostics/index.ts';
import { toFileError } from './file-errors.ts';

/** Room on the file system that holds `path`, as an ordinary user may use it. */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    throw toFileError(error, path);
  }
}
