export {
  createMemoryStore,
  type MemorySnapshot,
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStoreFromSnapshot,
} from './memory-store.ts';
