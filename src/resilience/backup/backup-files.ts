/** What backups need of a file system; `node/files` has the real one. Paths are absolute. */
export interface BackupFiles {
  /** Creates the folder and those above it, accessible to their owner only. */
  makeFolder(path: string): Promise<void>;
  /** The path without symbolic links; undefined if it does not exist. */
  realPath(path: string): Promise<string | undefined>;
  /** What lies at the path, without following a symbolic link; undefined if it does not exist. */
  kindOf(path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined>;
  /** The plain files in a folder, without those in subfolders; none if the folder does not exist. */
  list(folder: string): Promise<readonly BackupFile[]>;
  /** Puts a durable copy under `to` atomically: a reader sees the old file or the complete new one. */
  replaceWithCopy(from: string, to: string): Promise<void>;
  /** Removes a file, if it exists. */
  remove(path: string): Promise<void>;
}

export interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  /** Wall clock of its last change, ms. */
  readonly modifiedMs: number;
}
