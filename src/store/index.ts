export { allEntries } from './all-entries.ts';
export { allVersions } from './all-versions.ts';
export { FILLING_COMMIT_MIN } from './filling.ts';
export { createMemoryStore, type MemoryStore, memoryStoreFromSnapshot } from './memory/index.ts';
export { META, type MetaName, markedCollections, markOf } from './meta-names.ts';
export {
  openSqliteStore,
  readBackupDocuments,
  readBackupHead,
  restoreSqliteFile,
  SalvageFile,
  type SqliteStore,
  verifySqliteFile,
} from './sqlite/index.ts';
export type {
  CollectionRow,
  Damage,
  DamagedEntry,
  DocumentName,
  Entry,
  EntryRow,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  GoneReason,
  Head,
  KeyRange,
  LogLimits,
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
export { closedError, damagedDocument } from './store-errors.ts';
