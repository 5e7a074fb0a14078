export {
  type BackedUpDatabase,
  type BackupFile,
  type BackupFiles,
  type BackupInfo,
  type BackupPlace,
  BackupSchedule,
  type BackupScheduleOptions,
  BackupService,
  type BackupServiceDeps,
  type BackupServiceOptions,
  type BackupWork,
  LATEST_NAME,
  resolveBackupPath,
} from './backup/index.ts';
export type { EntryDraft, EntryKeeper } from './entry-keeper.ts';
export {
  type DroppedOperation,
  type FlushOptions,
  type FlushResult,
  OfflineQueue,
  type OfflineQueueDeps,
  type OfflineQueueOptions,
  type OperationContext,
  type OperationError,
  type OperationHandler,
  type PendingOperation,
  type QueuedOperation,
} from './offline-queue/index.ts';
