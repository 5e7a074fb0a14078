import type { Clock } from '../../core/clock/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { parseFormerLives } from '../../database/replica/index.ts';
import { type BackedUpDatabase, BackupService, type DatabaseState, type OwnState } from '../../resilience/index.ts';
import { META, readBackupHead, verifySqliteFile } from '../../store/index.ts';
import { lastLifeOf } from '../../store/sqlite/index.ts';
import type { ConfigValues, LoadedConfig } from '../config/index.ts';
import { backupFiles } from '../files/index.ts';

const MINUTE_MS = 60_000;

export interface BackupsDeps {
  /** Called when first needed: backups are already used before the database is open, to restore it. */
  readonly database: () => BackedUpDatabase;
  /** By what this database recognises its own backups, also before it is open. */
  readonly own: () => OwnState;
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
    stateIn,
    own,
    clock,
  });
}

/** What a stop needs besides its backup, ms: to end sessions and leave the files in order. */
const STOP_MS = 2000;

/** How long the backup at shutdown may take, ms: what the time for a stop leaves, and at least half of it. */
export function shutdownBackupMsMax(shutdownTimeoutMs: number): number {
  return Math.max(Math.ceil(shutdownTimeoutMs / 2), shutdownTimeoutMs - STOP_MS);
}

/** The backups of a database that is not open here, to look at them. */
export function backupsOfClosed(config: LoadedConfig, clock: Clock): BackupService {
  const database = (): never => {
    throw new TypeError('a database that is not open cannot be backed up');
  };
  const own = (): OwnState => ownStateOfClosed(config);
  return createBackups(config, { database, own, clock, logger: silentLogger });
}

export function ownStateOfClosed({ values }: LoadedConfig): OwnState {
  const replica = lastLifeOf(values['Persistence.DatabasePath']);
  return { replica, former: new Map(), node: values.NodeId, isOpen: false };
}

/** One file at a time, since reading one takes the event loop a millisecond. */
async function stateIn(path: string): Promise<DatabaseState | undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  try {
    const found = readBackupHead(path, [META.formerLives, META.nodeId]);
    if (found === undefined) return undefined;
    const { replica, pos } = found.head;
    return {
      replica,
      pos,
      former: parseFormerLives(found.meta[META.formerLives]),
      node: found.meta[META.nodeId] ?? null,
    };
  } catch {
    // Not a database of ours, or one that cannot be read.
    return undefined;
  }
}

/** Half the interval: scheduled backups are further apart, the one at shutdown may be closer. */
export function backupSpacingMs(values: ConfigValues): number {
  return (values['Persistence.BackupIntervalMinutes'] * MINUTE_MS) / 2;
}
