export { COUNTING, countingMark } from './counting-mark.ts';
export { createMemoryStore, type MemoryStore, memoryStoreFromSnapshot } from './memory/index.ts';
export {
  type DocumentName,
  openSqliteStore,
  readBackupDocuments,
  restoreSqliteFile,
  type SqliteStore,
  verifySqliteFile,
} from './sqlite/index.ts';
export type {
  CollectionRow,
  Damage,
  Entry,
  EntryRow,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  GoneReason,
  Head,
  KeyRange,
  QueryPlan,
  Store,
  StoreBatch,
  StoredDocument,
  StoredIndex,
  StoredVersion,
  StoreIdentity,
  StoreImage,
  StoreStatistics,
} from './store.ts';
