import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { SyncStatusTracker as CoreTracker, type SyncStatusTrackerOptions } from '../diagnostics/index.ts';
import { systemClock } from './system-clock.ts';

const NAMES: OptionNames<SyncStatusTrackerOptions> = { logger: true, clock: true };

/** A tracker of a program's own, on the system clock unless another is given. That of a database is `db.syncTracker`. */
export class SyncStatusTracker extends CoreTracker {
  constructor(options: Partial<SyncStatusTrackerOptions> = {}) {
    checkOptions(options, 'SyncStatusTracker', NAMES);
    super({ clock: systemClock, ...options });
  }
}
