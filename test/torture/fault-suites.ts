import { rotHealed, rotInBackup, rotInDatabase, rotInLog, rotInPages, rotInRedo } from './bit-rot.ts';
import { commandCuts } from './command-cuts.ts';
import { commandSweep } from './command-sweep.ts';
import { crashSweep, diskErrors } from './crash-sweep.ts';
import { powerCuts } from './power-cuts.ts';
import { queries } from './queries.ts';
import type { Suite } from './suite.ts';

/** The suites about what happens to one machine and its disk. */
export const FAULT_SUITES: readonly Suite[] = [
  crashSweep,
  diskErrors,
  commandSweep,
  powerCuts,
  commandCuts,
  rotInDatabase,
  rotInLog,
  rotInRedo,
  rotInPages,
  rotInBackup,
  rotHealed,
  queries,
];
