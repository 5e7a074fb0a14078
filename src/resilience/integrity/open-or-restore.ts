import { DatabaseCorruptionError, isEntglDbError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';

export interface OpenOrRestoreDeps<S> {
  readonly open: () => Promise<S>;
  /** The newest sound backup. */
  readonly newestGood: () => Promise<{ readonly path: string; readonly madeAt: number } | undefined>;
  /** Puts a backup in the place of the database; resolves with the path of the replaced file. */
  readonly restore: (backupPath: string) => Promise<string | undefined>;
  readonly logger: Logger;
}

export interface Opened<S> {
  readonly opened: S;
  /** What was restored to open it; undefined if nothing was needed. */
  readonly restored: RestoredFile | undefined;
}

export interface RestoredFile {
  readonly backupPath: string;
  /** Wall clock when the backup was made, ms. */
  readonly backupAtMs: number;
  /** Where the damaged file lies now; undefined if there was none. */
  readonly aside: string | undefined;
  /** Why the file could not be opened. */
  readonly problem: string;
}

/**
 * Opens a database. One that is too damaged to open is set aside, and the newest good backup takes its place; it never becomes an
 * empty one. Without a backup, and for any other reason, changes nothing and rejects as opening did.
 */
export async function openOrRestore<S>(deps: OpenOrRestoreDeps<S>): Promise<Opened<S>> {
  const { open, newestGood, restore, logger } = deps;
  try {
    return { opened: await open(), restored: undefined };
  } catch (error) {
    if (!isEntglDbError(error, 'DATABASE_CORRUPT')) throw error;
    logger.fatal({ err: error }, 'the database cannot be opened; the newest good backup takes its place');
    const backup = await newestGood();
    if (backup === undefined) throw withoutBackup(error);
    const aside = await restore(backup.path);
    const restored = { backupPath: backup.path, backupAtMs: backup.madeAt, aside, problem: error.message };
    logger.fatal({ ...restored }, 'the database was restored from a backup; the damaged file was kept');
    return { opened: await open(), restored };
  }
}

function withoutBackup(error: Error): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `${error.message}; there is no good backup that could take its place by itself. Without one and without peers, \`entgldb salvage FOLDER\` writes what can be read`,
    {
      cause: error,
    },
  );
}
