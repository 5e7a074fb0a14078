export { runStoreConformance } from './store-conformance.ts';
export type { LogLimits, StoreConformanceOptions, StoreUnderTest } from './store-under-test.ts';
