export {
  type BackedUpDatabase,
  type BackupFile,
  type BackupFiles,
  type BackupInfo,
  BackupSchedule,
  BackupService,
  type BackupWork,
  type DatabaseState,
  type ManualBackupWork,
  type OwnState,
} from './backup/index.ts';
export type { EntryKeeper } from './entry-keeper.ts';
export { EventLog } from './event-log.ts';
export {
  type CollectionCount,
  checkIntegrity,
  type Opened,
  openOrRestore,
  type RepairPeers,
  type RestoredFile,
  Scrubber,
  SelfRepair,
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
export { COUNTED_MAX, type PendingWrites, Receipts, type ReplicatedOptions } from './receipts/index.ts';
