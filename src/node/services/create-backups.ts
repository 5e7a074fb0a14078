import type { Clock } from '../../core/clock/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { formerLivesIn, LIVES } from '../../database/replica/index.ts';
import { type BackedUpDatabase, BackupService, type OwnIds } from '../../resilience/index.ts';
import { readBackupHead, verifySqliteFile } from '../../store/index.ts';
import { lastLifeOf } from '../../store/sqlite/index.ts';
import type { ConfigValues, LoadedConfig } from '../config/index.ts';
import { backupFiles } from '../files/index.ts';

const MINUTE_MS = 60_000;

export interface BackupsDeps {
  /** Called when first needed: backups are already used before the database is open, to restore it. */
  readonly database: () => BackedUpDatabase;
  /** By what this database recognises its own backups, also before it is open. */
  readonly own: () => OwnIds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The backup service, as configured. */
export function createBackups(config: LoadedConfig, { database, own, clock, logger }: BackupsDeps): BackupService {
  const { values, baseDirectory } = config;
  return new BackupService({
    folder: values['Persistence.BackupPath'],
    base: baseDirectory,
    databasePath: values['Persistence.DatabasePath'],
    retention: values['Persistence.BackupRetention'],
    spacingMs: backupSpacingMs(values),
    logger,
    database: {
      flush: () => database().flush(),
      backup: (toPath, work) => database().backup(toPath, work),
    },
    files: backupFiles,
    verify: (path, signal) => verifySqliteFile(path, { clock, ...(signal && { signal }) }),
    livesIn,
    own,
    clock,
  });
}

/** The backups of a database that is not open here, to look at them. */
export function backupsOfClosed(config: LoadedConfig, clock: Clock): BackupService {
  const database = (): never => {
    throw new TypeError('a database that is not open cannot be backed up');
  };
  const own = (): OwnIds => ownIdsOfClosed(config.values['Persistence.DatabasePath']);
  return createBackups(config, { database, own, clock, logger: silentLogger });
}

export function ownIdsOfClosed(databasePath: string): OwnIds {
  const last = lastLifeOf(databasePath);
  return { ids: last === undefined ? [] : [last], isOpen: false };
}

/** One file at a time, since reading one takes the event loop a millisecond. */
async function livesIn(path: string): Promise<readonly string[] | undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  try {
    const head = readBackupHead(path, LIVES);
    return head && [head.replica, ...formerLivesIn(head.meta)];
  } catch {
    // Not a database of ours, or one that cannot be read.
    return undefined;
  }
}

/** Half the interval: scheduled backups are further apart, the one at shutdown may be closer. */
export function backupSpacingMs(values: ConfigValues): number {
  return (values['Persistence.BackupIntervalMinutes'] * MINUTE_MS) / 2;
}
