export { createServices, type Services } from './create-services.ts';
export { EntglDbHealthCheck } from './health-check.ts';
export type { PeerStatus } from './network/index.ts';
export type { NodeAddress, NodeStatus } from './node-api.ts';
export type { NodeDatabase } from './node-database.ts';
export { OfflineQueue } from './offline-queue.ts';
export {
  type NetworkSettings,
  type OpenDatabaseOptions,
  openDatabase,
  type PersistenceSettings,
  type SyncSettings,
} from './open-database.ts';
export { RetryPolicy } from './retry-policy.ts';
export type { CollectionEquality, EqualityVerdict, PeerEquality } from './services/index.ts';
export { SyncStatusTracker } from './sync-status-tracker.ts';
