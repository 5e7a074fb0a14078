export {
  createMemoryStore,
  type MemorySnapshot,
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStoreFromSnapshot,
} from './memory/index.ts';
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './sqlite/index.ts';
export type {
  CollectionRow,
  Entry,
  EntryRow,
  EntrySpace,
  FoundDocument,
  GoneDocument,
  GoneReason,
  Head,
  KeyRange,
  KnowledgeRow,
  PurgeRow,
  Store,
  StoreBatch,
  StoredDocument,
  StoredVersion,
  StoreIdentity,
  StoreImage,
  StoreManifest,
} from './store.ts';
