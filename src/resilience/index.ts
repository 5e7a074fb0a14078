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
