import { FILE_SCENARIOS } from './file-scenarios.ts';
import { LIFE_SCENARIOS } from './life-scenarios.ts';
import { PURGE_SCENARIOS } from './purge-scenarios.ts';
import { READ_SCENARIOS } from './read-scenarios.ts';
import { ROUND_SCENARIOS } from './round-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { WRITE_SCENARIOS } from './write-scenarios.ts';

/** Directed attacks on single rules: those of sim/model, and cases that random schedules do not find in time. */
export const SCENARIOS: readonly Scenario[] = [
  ...WRITE_SCENARIOS,
  ...READ_SCENARIOS,
  ...ROUND_SCENARIOS,
  ...PURGE_SCENARIOS,
  ...LIFE_SCENARIOS,
  ...FILE_SCENARIOS,
];
