export { checkIntegrity } from './check-integrity.ts';
export { type Opened, openOrRestore, type RestoredFile } from './open-or-restore.ts';
export { Scrubber, type ScrubberOptions } from './scrubber.ts';
export { type RepairPeers, SelfRepair, type SelfRepairDeps } from './self-repair.ts';
export { type CollectionCount, sumCollection } from './sum-collection.ts';
