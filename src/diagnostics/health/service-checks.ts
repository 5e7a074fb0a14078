import { type Clock, spanText } from '../../core/clock/index.ts';
import { degraded, type HealthCheck, healthy, unhealthy } from './health-report.ts';

export interface QueueStatus {
  readonly count: number;
  readonly maxSize: number;
  readonly overflow: 'reject' | 'drop-oldest';
  /** Failed attempts of the first operation; `firstError`: why the last one failed. */
  readonly firstAttempts: number;
  readonly firstError: string | null;
}

/** The fill level from which the queue is degraded. */
const NEARLY_FULL = 0.8;
/** An operation that failed this often does not fail by chance. */
const ATTEMPTS_NOTICED = 5;

/** `offline-queue`: the queue has room, and its first operation does not keep failing. */
export function createQueueCheck(status: () => QueueStatus): HealthCheck {
  return {
    name: 'offline-queue',
    isQuick: true,
    run: () => {
      const { count, maxSize, overflow, firstAttempts, firstError } = status();
      const fill = `${count} of ${maxSize} operations wait`;
      if (count >= maxSize && overflow === 'reject') return unhealthy(`${fill}; new ones are refused: flush it`);
      if (count >= maxSize) return degraded(`${fill}; the oldest are dropped: flush it`);
      if (count >= maxSize * NEARLY_FULL) return degraded(`${fill}; flush it`);
      if (firstAttempts >= ATTEMPTS_NOTICED)
        return degraded(`the first operation failed ${firstAttempts} times, last with: ${firstError ?? 'no reason'}`);
      return healthy(fill);
    },
  };
}

export interface BackupStatus {
  /** False: no automatic backups are wanted. */
  readonly isEnabled: boolean;
  /** Time between two automatic backups, ms. */
  readonly intervalMs: number;
  /** Wall clock of the newest good backup, ms; null: there is none. */
  readonly lastBackupAt: number | null;
  /** Wall clock when the schedule was started, ms. */
  readonly startedAt: number;
  /** Why the last backup failed; null if it did not. */
  readonly lastError: string | null;
}

/** A backup is late after this many intervals. */
const LATE_INTERVALS = 2;

/** Names of backups have whole seconds. */
const COARSE_MS = 1000;

/** `backup`: the newest backup is not older than it should be. */
export function createBackupCheck(status: () => BackupStatus, clock: Clock): HealthCheck {
  return {
    name: 'backup',
    isQuick: true,
    run: () => {
      const { isEnabled, intervalMs, lastBackupAt, startedAt, lastError } = status();
      if (!isEnabled)
        return healthy('no automatic backups; set Persistence.BackupPath and EnableAutoBackup to have them');
      const lateMs = intervalMs * LATE_INTERVALS;
      const ageMs = clock.now() - (lastBackupAt ?? startedAt);
      const age = lastBackupAt === null ? 'there is none yet' : `the newest is ${ageText(ageMs)}`;
      if (lastError !== null) return degraded(`the last one failed: ${lastError}; ${age}`);
      return ageMs > lateMs ? degraded(`${age}; look at the folder and its disk`) : healthy(age);
    },
  };
}

/** The name of a backup that was made while the clock was ahead is of the future. */
function ageText(ageMs: number): string {
  return ageMs < -COARSE_MS ? `dated ${spanText(ageMs)} ahead of this clock` : `${spanText(Math.max(0, ageMs))} old`;
}
