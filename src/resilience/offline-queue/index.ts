export type { FlushResult, OperationContext, OperationHandler } from './flush-run.ts';
export {
  type DroppedOperation,
  type FlushOptions,
  OfflineQueue,
  type OfflineQueueDeps,
  type OfflineQueueOptions,
} from './offline-queue.ts';
export type { OperationError, PendingOperation, QueuedOperation } from './operation.ts';
