export {
  createDatabaseCheck,
  createDiskSpaceCheck,
  createIntegrityCheck,
  type DiskSpace,
  type IntegrityStatus,
} from './database-checks.ts';
export { createDefinitionsCheck, mismatchTexts, type PeerMismatch } from './definitions-check.ts';
export { EntglDbHealthCheck, type EntglDbHealthCheckOptions, type HealthChange } from './health-check.ts';
export {
  degraded,
  type HealthCheck,
  type HealthCheckResult,
  type HealthFinding,
  type HealthReport,
  type HealthState,
  healthy,
  unhealthy,
} from './health-report.ts';
export {
  createClockCheck,
  createEqualityCheck,
  createNetworkCheck,
  createPeersCheck,
  createSyncLagCheck,
  type NetworkStatus,
} from './network-checks.ts';
export { troubleTexts } from './peer-troubles.ts';
export { COMPARE_TOKENS, createRefusalsCheck, refusalTexts, triedRefusals } from './refusals-check.ts';
export { type BackupStatus, createBackupCheck, createQueueCheck, type QueueStatus } from './service-checks.ts';
