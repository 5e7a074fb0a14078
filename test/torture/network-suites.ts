import { crowd } from './crowd.ts';
import { lossyLan } from './lossy-lan.ts';
import { soak } from './soak.ts';
import type { Suite } from './suite.ts';

/** What happens between machines. */
export const NETWORK_SUITES: readonly Suite[] = [lossyLan, crowd, soak];
