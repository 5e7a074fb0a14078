export {
  ConcurrencyError,
  ConfigurationError,
  DatabaseCorruptionError,
  DocumentNotFoundError,
  EntglDbError,
  type ErrorCode,
  type ErrorReason,
  isEntglDbError,
  NetworkError,
  PersistenceError,
  SyncError,
  TimeoutError,
} from './core/errors/index.ts';
export type { Logger } from './core/logging/index.ts';
export { counterValue, incrementCounter, type Resolver } from './core/merge/index.ts';
export {
  type CacheStatistics,
  type Change,
  type Collection,
  type CollectionInfo,
  type Database,
  type Document,
  DocumentCache,
  type DocumentCacheOptions,
  type FindOptions,
  type Versioned,
  type WaitOptions,
  type WatchOptions,
  type WriteOptions,
} from './database/index.ts';
export {
  type HealthReport,
  type NetworkSettings,
  type NodeAddress,
  type NodeDatabase,
  type NodeStatus,
  type OpenDatabaseOptions,
  openDatabase,
  type PeerStatus,
  type PersistenceSettings,
  RetryPolicy,
  type SyncSettings,
} from './node/index.ts';
