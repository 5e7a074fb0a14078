export type {
  Change,
  Collection,
  Conflict,
  ConflictOptions,
  ConflictVersion,
  Database,
  LiveOptions,
  MigrateOptions,
  MigrateProgress,
  Transaction,
  TransactionCollection,
  TransactionOptions,
  WatchOptions,
} from './api.ts';
export type {
  BlobContent,
  BlobInfo,
  BlobPresence,
  BlobRef,
  BlobSource,
  Blobs,
  CollectBlobsOptions,
  CollectedBlobs,
  GetBlobOptions,
  ListBlobsOptions,
  PutBlobOptions,
} from './blobs/index.ts';
export { BlobKeeper } from './blobs/index.ts';
export { type CacheStatistics, DocumentCache, type DocumentCacheOptions } from './cache/index.ts';
export type { LocalDatabase } from './database.ts';
export type {
  Document,
  DocumentVersion,
  ReadOptions,
  ScanOptions,
  Versioned,
  WaitOptions,
  WriteOptions,
} from './document-api.ts';
export type { Migration, Migrations } from './evolution/index.ts';
export type { HistoryEntry, HistoryOptions, Moment, UndoOptions } from './history/index.ts';
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
export { openLocalDatabase } from './open-local-database.ts';
export type {
  Aggregate,
  ConditionedQuery,
  EnsureIndexOptions,
  FieldQuery,
  FindOptions,
  FluentQuery,
  Group,
  IndexInfo,
  Page,
  PageOptions,
} from './query/index.ts';
export { projectDocument } from './query/index.ts';
export type {
  CollectionOptions,
  CountablePath,
  DocumentIssue,
  FieldOperators,
  Filter,
  InputOf,
  InvalidDocument,
  OutputOf,
  Patch,
  Path,
  SchemaIssue,
  SchemaResult,
  Sort,
  StandardSchema,
} from './schema/index.ts';
export { type CollectionInfo, Wants } from './wants.ts';
