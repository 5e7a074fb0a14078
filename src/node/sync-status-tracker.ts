import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { SyncStatusTracker as CoreTracker, type SyncStatusTrackerOptions } from '../diagnostics/index.ts';
import { systemClock } from './system-clock.ts';

const NAMES: OptionNames<SyncStatusTrackerOptions> = { logger: true, clock: true };

/** The tracker as programs make it: on the system's clock unless another is given. A database's own is `db.syncTracker`. */
export class SyncStatusTracker extends CoreTracker {
  constructor(options: Partial<SyncStatusTrackerOptions> = {}) {
    checkOptions(options, 'SyncStatusTracker', NAMES);
    super({ clock: systemClock, ...options });
  }
}
