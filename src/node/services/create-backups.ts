import type { Clock } from '../../core/clock/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { type BackedUpDatabase, BackupService } from '../../resilience/index.ts';
import { verifySqliteFile } from '../../store/index.ts';
import type { ConfigValues, LoadedConfig } from '../config/index.ts';
import { backupFiles } from '../files/index.ts';

const MINUTE_MS = 60_000;

export interface BackupsDeps {
  /** Called when first needed: backups are already used before the database is open, to restore it. */
  readonly database: () => BackedUpDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The backup service, as configured. */
export function createBackups(config: LoadedConfig, { database, clock, logger }: BackupsDeps): BackupService {
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
    clock,
  });
}

/** Half the interval: scheduled backups are further apart, the one at shutdown may be closer. */
export function backupSpacingMs(values: ConfigValues): number {
  return (values['Persistence.BackupIntervalMinutes'] * MINUTE_MS) / 2;
}
