import { checkOptions, type OptionNames } from '../core/options/index.ts';
import {
  OfflineQueue as CoreOfflineQueue,
  type OfflineQueueDeps,
  type OfflineQueueOptions,
} from '../resilience/index.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

const NAMES: OptionNames<OfflineQueueOptions & OfflineQueueDeps> = {
  keeper: true,
  isEnabled: true,
  maxSize: true,
  overflow: true,
  operationMsMax: true,
  retryDelayMs: true,
  retryDelayMsMax: true,
  onDropped: true,
  logger: true,
  limits: true,
  clock: true,
  random: true,
  soon: true,
};

/**
 * An offline queue of a program's own: `new OfflineQueue({ keeper, maxSize: 1000 })`. Uses the system's clock and randomness
 * unless others are given. Every database already has one, `db.offlineQueue`.
 */
export class OfflineQueue extends CoreOfflineQueue {
  constructor(options: OfflineQueueOptions & Pick<OfflineQueueDeps, 'keeper'> & Partial<OfflineQueueDeps>) {
    checkOptions(options ?? null, 'OfflineQueue', NAMES);
    if (options.keeper === undefined)
      throw new TypeError(
        'OfflineQueue needs the database that keeps it, as { keeper }; one that is open has db.offlineQueue',
      );
    super({ clock: systemClock, random: systemRandom, soon: setImmediate, ...options });
  }
}
