/** What backups need of a file system; `node/files` has the real one. Paths are absolute. */
export interface BackupFiles {
  /** Makes the folder and those above it, for their owner only. */
  makeFolder(path: string): Promise<void>;
  /** The path without symbolic links; undefined where there is nothing. */
  realPath(path: string): Promise<string | undefined>;
  /** What lies there; a symbolic link is not followed. Undefined: nothing. */
  kindOf(path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined>;
  /** The plain files in a folder, without those in folders below it; none where there is no folder. */
  list(folder: string): Promise<readonly BackupFile[]>;
  /** Puts a durable copy under `to`, in one step: whoever looks sees the old file or the whole new one. */
  replaceWithCopy(from: string, to: string): Promise<void>;
  /** Does nothing where there is nothing. */
  remove(path: string): Promise<void>;
}

export interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  /** Wall clock of its last change, ms. */
  readonly modifiedMs: number;
}
