import { type ErrorReason, PersistenceError } from '../../core/errors/index.ts';

const WORDS_BY_CODE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EDQUOT: 'the space that this user may use is full',
  EIO: 'the disk fails to read or write',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is a file, not a folder',
  EPERM: 'this user may not',
  EROFS: 'it is on a disk that can only be read',
};

/** A system error about a file, in plain words. */
export function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return WORDS_BY_CODE[code ?? ''] ?? code ?? message;
}

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

/** Whether the error says that nothing is there. Below a file there is nothing either. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
