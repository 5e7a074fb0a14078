export type { HealthReport, NodeAddress, NodeStatus, PeerStatus } from './node-api.ts';
export type { NodeDatabase } from './node-database.ts';
export {
  type NetworkSettings,
  type OpenDatabaseOptions,
  openDatabase,
  type PersistenceSettings,
  type SyncSettings,
} from './open-database.ts';
export { RetryPolicy } from './retry-policy.ts';
