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
