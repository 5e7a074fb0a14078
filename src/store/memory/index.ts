export { createMemoryStore, type MemorySnapshot, type MemoryStore, memoryStoreFromSnapshot } from './memory-store.ts';
