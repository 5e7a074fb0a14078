export type {
  Change,
  Collection,
  CollectionInfo,
  Conflict,
  ConflictOptions,
  ConflictVersion,
  Database,
  Document,
  FindOptions,
  Versioned,
  WaitOptions,
  WatchOptions,
  WriteOptions,
} from './api.ts';
export { type CacheStatistics, DocumentCache, type DocumentCacheOptions } from './cache/index.ts';
export type { LocalDatabase } from './database.ts';
export type { MaintenanceTimes } from './maintenance.ts';
export { type LocalDatabaseDeps, openLocalDatabase } from './open-local-database.ts';
