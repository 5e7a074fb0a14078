import { crowd } from './crowd.ts';
import { fates } from './fates.ts';
import { lossyLan } from './lossy-lan.ts';
import { soak } from './soak.ts';
import type { Suite } from './suite.ts';

/** The suites about what happens between machines. */
export const NETWORK_SUITES: readonly Suite[] = [lossyLan, crowd, soak, fates];
