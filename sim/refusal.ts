import { isEntglDbError } from '../src/core/errors/index.ts';

/** Whether a full or broken disk refused the work. That is no problem as long as it reports an error. */
export function isRefusal(error: unknown): boolean {
  return (['DISK_FULL', 'IO_FAILED', 'DOCUMENT_CORRUPT'] as const).some((reason) => isEntglDbError(error, reason));
}
