export { runStoreConformance } from './store-conformance.ts';
export type { StoreConformanceOptions, StoreUnderTest } from './store-under-test.ts';
