export type {
  Change,
  Collection,
  CollectionInfo,
  Conflict,
  ConflictOptions,
  ConflictVersion,
  Database,
  Document,
  DocumentVersion,
  FindOptions,
  LiveOptions,
  ScanOptions,
  Versioned,
  WaitOptions,
  WatchOptions,
  WriteOptions,
} from './api.ts';
export { type CacheStatistics, DocumentCache, type DocumentCacheOptions } from './cache/index.ts';
export type { LocalDatabase } from './database.ts';
export {
  applyLiveChanges,
  type Live,
  type LiveChange,
  type LiveCount,
  type LiveDocument,
  type LiveEntry,
  type LiveQuery,
  type LiveUpdate,
} from './live/index.ts';
export type { MaintenanceTimes } from './maintenance.ts';
export { type LocalDatabaseDeps, openLocalDatabase } from './open-local-database.ts';
