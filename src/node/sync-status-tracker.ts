import { SyncStatusTracker as CoreTracker, type SyncStatusTrackerOptions } from '../diagnostics/index.ts';
import { systemClock } from './system-clock.ts';

/** The tracker as programs make it: on the system's clock unless another is given. A database's own is `db.syncTracker`. */
export class SyncStatusTracker extends CoreTracker {
  constructor(options: Partial<SyncStatusTrackerOptions> = {}) {
    super({ clock: systemClock, ...options });
  }
}
