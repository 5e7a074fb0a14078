import {
  OfflineQueue as CoreOfflineQueue,
  type OfflineQueueDeps,
  type OfflineQueueOptions,
} from '../resilience/index.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/**
 * The offline queue as programs make it: `new OfflineQueue({ keeper, maxSize: 1000 })`, on the system's clock and randomness
 * unless others are given. A database has one already, which is `db.offlineQueue`.
 */
export class OfflineQueue extends CoreOfflineQueue {
  constructor(options: OfflineQueueOptions & Pick<OfflineQueueDeps, 'keeper'> & Partial<OfflineQueueDeps>) {
    super({ clock: systemClock, random: systemRandom, soon: setImmediate, ...options });
  }
}
