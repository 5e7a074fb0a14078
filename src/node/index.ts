export { createServices, type Services } from './create-services.ts';
export type { PeerStatus } from './network/index.ts';
export type { NodeAddress, NodeStatus } from './node-api.ts';
export type { NodeDatabase } from './node-database.ts';
export {
  type NetworkSettings,
  type OpenDatabaseOptions,
  openDatabase,
  type PersistenceSettings,
  type SyncSettings,
} from './open-database.ts';
export { EntglDbHealthCheck, OfflineQueue, RetryPolicy, SyncStatusTracker } from './public-services.ts';
export type { CollectionEquality, EqualityVerdict, PeerEquality } from './services/index.ts';
