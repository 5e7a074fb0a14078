import { dirname } from 'node:path';
import type { Clock, ClockMonitor } from '../../core/clock/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import {
  type BackupStatus,
  createBackupCheck,
  createClockCheck,
  createDatabaseCheck,
  createDefinitionsCheck,
  createDiskSpaceCheck,
  createEqualityCheck,
  createIntegrityCheck,
  createNetworkCheck,
  createPeersCheck,
  createQueueCheck,
  createRefusalsCheck,
  createSyncLagCheck,
  type HealthCheck,
  type IntegrityStatus,
  type NetworkStatus,
  type QueueStatus,
} from '../../diagnostics/index.ts';
import type { BackupSchedule, BackupService } from '../../resilience/index.ts';
import type { ConfigValues } from '../config/index.ts';
import { readDiskSpace } from '../files/index.ts';
import type { OfflineQueue, SyncStatusTracker } from '../public-services.ts';
import type { Equality } from './equality.ts';
import type { ServedNetwork } from './served-network.ts';

/** What the health checks of a node look at. */
export interface Checked {
  readonly database: LocalDatabase;
  readonly clock: Clock;
  readonly clocks: ClockMonitor;
  readonly network: () => ServedNetwork | undefined;
  readonly isInPlace: () => Promise<boolean>;
  /** The values in effect at present. */
  readonly values: () => ConfigValues;
  readonly tracker: SyncStatusTracker;
  readonly offlineQueue: OfflineQueue;
  readonly equality: Equality;
  readonly integrity: () => IntegrityStatus;
  readonly backups: BackupService;
  /** Undefined if there are no automatic backups. */
  readonly schedule: BackupSchedule | undefined;
}

const HOUR_MS = 3_600_000;

/** The health checks of a node, in the order of docs/guide/production-hardening.md. */
export function createChecks(checked: Checked): HealthCheck[] {
  const { values, database, clock, clocks, network, isInPlace, tracker, equality, integrity } = checked;
  const { 'Persistence.DatabasePath': path, 'Sync.MaxClockDriftMs': clockDriftMsMax } = values();
  return [
    createDatabaseCheck({ database: database.replica, clock, isInPlace }),
    createDiskSpaceCheck(() => readDiskSpace(dirname(path))),
    createIntegrityCheck(integrity, clock),
    createEqualityCheck(() => equality.different),
    createNetworkCheck(() => networkStatus(network())),
    createPeersCheck({
      tracker,
      configuredPeers: () => values()['Network.KnownPeers'].length,
      isEnabled: () => network() !== undefined,
      troubles: () => network()?.troubles() ?? [],
      clock,
    }),
    createRefusalsCheck(() => network()?.refusals() ?? [], clock),
    createSyncLagCheck({ tracker, clock, lagMsMax: () => 6 * values()['Sync.SyncIntervalMs'] }),
    createDefinitionsCheck(() => network()?.mismatches() ?? [], clock),
    createClockCheck(() => clocks.assess(), clockDriftMsMax),
    createQueueCheck(() => queueStatus(checked.offlineQueue)),
    createBackupCheck(() => backupStatus(checked), clock),
  ];
}

function networkStatus(network: ServedNetwork | undefined): NetworkStatus {
  if (network === undefined) return { isEnabled: false, isListening: false, address: null, problem: null };
  const { isListening, address, problem } = network;
  return { isEnabled: true, isListening, address, problem };
}

function queueStatus(queue: OfflineQueue): QueueStatus {
  const { count, maxSize, overflow } = queue;
  const [first] = count === 0 ? [] : queue.peek();
  const { attempts = 0, lastError } = first ?? {};
  return { count, maxSize, overflow, firstAttempts: attempts, firstError: lastError?.message ?? null };
}

function backupStatus({ backups, schedule }: Pick<Checked, 'backups' | 'schedule'>): BackupStatus {
  const { lastBackupAt, lastError } = backups;
  return {
    isEnabled: schedule !== undefined,
    intervalMs: schedule?.intervalMs ?? HOUR_MS,
    startedAt: schedule?.startedAt ?? 0,
    lastBackupAt,
    lastError,
  };
}
