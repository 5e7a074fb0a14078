import { type ErrorReason, PersistenceError } from '../../core/errors/index.ts';
import { fileProblem } from './file-problem.ts';

const REASONS_BY_CODE: Readonly<Record<string, ErrorReason<'PERSISTENCE_ERROR'>>> = {
  EACCES: 'PERMISSION_DENIED',
  EDQUOT: 'DISK_FULL',
  ENOSPC: 'DISK_FULL',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'PERMISSION_DENIED',
};

const REMEDIES: Readonly<Partial<Record<ErrorReason, string>>> = {
  DISK_FULL: 'free some space and try again',
  IO_FAILED: 'check the path and the disk',
  PERMISSION_DENIED: 'check who owns it',
};

/** Converts a system error about a file to an error of this library; returns anything else unchanged. */
export function toFileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (!error.code.startsWith('E')) return error;
  const reason = REASONS_BY_CODE[error.code] ?? 'IO_FAILED';
  return new PersistenceError(reason, `${path}: ${fileProblem(error)}; ${REMEDIES[reason]}`, {
    details: { path, errno: error.code },
    cause: error,
  });
}
