export { seal, withOpenCopy } from './copy-database.ts';
export { streamDamage } from './damage-stream.ts';
export { JobThreads } from './job-threads.ts';
export type { QueryJob } from './jobs.ts';
export { damagedIndexes, renewIndexes } from './renew-indexes.ts';
