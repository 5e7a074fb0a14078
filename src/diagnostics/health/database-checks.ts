import type { Clock } from '../../core/clock/index.ts';
import type { Entry, EntryRow, EntrySpace } from '../../store/index.ts';
import { degraded, type HealthCheck, healthy, unhealthy } from './health-report.ts';

/** The part of a `Replica` that the database check needs. */
export interface ProbedDatabase {
  readonly store: { entries(space: EntrySpace, afterId: number, limit: number): Entry[] };
  commitEntries(change: (draft: { entry(row: EntryRow): void }) => void): void;
  flush(): Promise<void>;
}

export interface DatabaseCheckOptions {
  readonly database: ProbedDatabase;
  readonly clock: Clock;
  /** Whether the file under the database's name is still the open one. Default: not checked. */
  readonly isInPlace?: () => Promise<boolean>;
}

/** A probe at most this long ago, ms, need not be repeated. */
const PROBE_INTERVAL_MS = 1000;
const PROBE_ID = 1;
const MB = 1024 * 1024;

/** `database`: a row can be written, made durable and read again, and the file is in its place. */
export function createDatabaseCheck({ database, clock, isInPlace }: DatabaseCheckOptions): HealthCheck {
  let probedAt = Number.NEGATIVE_INFINITY;
  const probe = async (): Promise<void> => {
    const data = JSON.stringify(clock.now());
    database.commitEntries((draft) => draft.entry({ space: 'health', id: PROBE_ID, data }));
    await database.flush();
    const [read] = database.store.entries('health', PROBE_ID - 1, 1);
    if (read?.data !== data) throw new Error('a row that was just written does not read the same; restore a backup');
    probedAt = clock.monotonic();
  };
  return {
    name: 'database',
    part: 'database',
    run: async () => {
      if (isInPlace !== undefined && !(await isInPlace()))
        return unhealthy(
          'its file was removed, replaced or written over while it is open, and nothing is written any more; `entgldb status` says what to do',
        );
      if (clock.monotonic() - probedAt >= PROBE_INTERVAL_MS) await probe();
      // Reading reports a database that was closed meanwhile.
      else database.store.entries('health', PROBE_ID - 1, 1);
      return healthy('a row was written, made durable and read');
    },
  };
}

/** Space on the file system that holds the database. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Degraded with fewer free bytes than this and than a tenth of the disk. */
const DEGRADED_BYTES = 256 * MB;
/** Unhealthy with fewer free bytes than this and than a fiftieth of the disk. */
const UNHEALTHY_BYTES = 32 * MB;

/** `disk-space`: the disk has room for more. */
export function createDiskSpaceCheck(statfs: () => Promise<DiskSpace>): HealthCheck {
  return {
    name: 'disk-space',
    part: 'database',
    isQuick: true,
    run: async () => {
      const { freeBytes, totalBytes } = await statfs();
      const room = `${Math.floor(freeBytes / MB)} MB of ${Math.floor(totalBytes / MB)} MB are free`;
      if (freeBytes < Math.min(UNHEALTHY_BYTES, totalBytes / 50))
        return unhealthy(`${room}; make room before writes fail`);
      if (freeBytes < Math.min(DEGRADED_BYTES, totalBytes / 10)) return degraded(`${room}; make room`);
      return healthy(room);
    },
  };
}

/** What scrub and repair know. */
export interface IntegrityStatus {
  /** Documents found damaged and not repaired yet. */
  readonly damaged: number;
  /** Documents that neither peers nor a backup could bring back. */
  readonly missing: number;
  /** Whether writing has stopped after repeated damage. */
  readonly isReadOnly: boolean;
  /** Wall clock of the last repair, ms; null: never. */
  readonly lastRepairAt: number | null;
  /** Wall clock of the last complete scrub without damage, ms; null: none since the start. */
  readonly lastScrubAt: number | null;
  /** What is wrong with the file besides single documents; null: nothing known. */
  readonly fileProblem: string | null;
}

/** How long a repair is mentioned, ms. */
const REPAIR_SHOWN_MS = 24 * 3600 * 1000;

/** `integrity`: stored data is readable and is what was written. */
export function createIntegrityCheck(status: () => IntegrityStatus, clock: Clock): HealthCheck {
  return {
    name: 'integrity',
    part: 'database',
    isQuick: true,
    run: () => {
      const { damaged, missing, isReadOnly, lastRepairAt, lastScrubAt, fileProblem } = status();
      if (isReadOnly) return unhealthy('the file was damaged again and again; writing has stopped: replace the disk');
      if (fileProblem !== null) return unhealthy(`${fileProblem}; restore a backup`);
      if (damaged > 0)
        return unhealthy(`damaged documents that wait for their repair from a peer or a backup: ${damaged}`);
      if (missing > 0)
        return degraded(`damaged documents that could not be brought back: ${missing}; \`entgldb status\` names them`);
      const isRecent = lastRepairAt !== null && clock.now() - lastRepairAt < REPAIR_SHOWN_MS;
      if (isRecent) return degraded('damage was repaired today; look at the disk');
      return healthy(lastScrubAt === null ? 'no damage known; not all is checked yet' : 'everything was checked');
    },
  };
}
