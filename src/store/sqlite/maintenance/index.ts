export { seal, withOpenCopy } from './copy-database.ts';
export { streamDamage } from './damage-stream.ts';
export { Maintenance } from './maintenance.ts';
export type { QueryJob } from './maintenance-jobs.ts';
export { damagedIndexes, renewIndexes } from './renew-indexes.ts';
