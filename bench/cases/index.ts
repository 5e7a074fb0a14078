export { bulkWrite } from './bulk-write.ts';
export { catchUp } from './catch-up.ts';
export { firstSync } from './first-sync.ts';
export { indexedRange } from './indexed-range.ts';
export { liveLatencyFull, liveLatencyNormal } from './live-latency.ts';
export { pointRead } from './point-read.ts';
export { randomUpdate } from './random-update.ts';
export { singleWriteFull, singleWriteNormal } from './single-write.ts';
