export { cachedStore } from './cached-store.ts';
export { type CacheStatistics, DocumentCache, type DocumentCacheOptions } from './document-cache.ts';
