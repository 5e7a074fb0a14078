export {
  type BackedUpDatabase,
  type BackupFile,
  type BackupFiles,
  type BackupInfo,
  BackupSchedule,
  type BackupScheduleOptions,
  BackupService,
  type BackupServiceDeps,
  type BackupServiceOptions,
  type BackupWork,
  type ManualBackupWork,
} from './backup/index.ts';
export type { EntryDraft, EntryKeeper } from './entry-keeper.ts';
export { EventLog, type EventLogOptions, type LoggedEvent } from './event-log.ts';
export {
  type CheckedStore,
  type CheckOptions,
  type CollectionCount,
  checkIntegrity,
  type Opened,
  type OpenOrRestoreDeps,
  openOrRestore,
  type RepairPeers,
  type RestoredFile,
  type ScrubbedStore,
  Scrubber,
  type ScrubberOptions,
  SelfRepair,
  type SelfRepairDeps,
  sumCollection,
} from './integrity/index.ts';
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
export {
  COUNTED_MAX,
  type PendingWrites,
  Receipts,
  type ReceiptsDeps,
  type ReplicatedOptions,
} from './receipts/index.ts';
