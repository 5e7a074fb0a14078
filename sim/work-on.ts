import type { Clock } from '../src/core/clock/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { MemoryStore } from '../src/store/memory/index.ts';

/** Pause between two steps, ms. */
const STEP_MS = 1;

export interface WorkDeps {
  readonly clock: Clock;
  readonly store: MemoryStore;
  /** Whether nobody is left to work for, because the process has ended. */
  readonly isOver: () => boolean;
}

/**
 * Takes a step each ms until one returns true. A step that the disk refused is due again, but is taken only once something has
 * happened to the disk: one that stays full would refuse the same step thousands of times.
 */
export function workOn({ clock, store, isOver }: WorkDeps, step: () => boolean): void {
  let refusedAt: number | undefined;
  const take = (): void => {
    if (isOver()) return;
    const { revision } = store;
    try {
      if (revision !== refusedAt && step()) return;
    } catch (error) {
      if (!isEntglDbError(error, 'DISK_FULL') && !isEntglDbError(error, 'IO_FAILED')) throw error;
      // If the step itself changed something, it may fare better next time.
      refusedAt = revision === store.revision ? revision : undefined;
    }
    clock.setTimer(STEP_MS, take);
  };
  clock.setTimer(STEP_MS, take);
}
