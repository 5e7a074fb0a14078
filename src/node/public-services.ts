/**
 * The service classes that a program can make for itself: those of the layers below, with the system's clock and randomness unless others
 * are given, and with options that are checked, because programs without a compiler use them too.
 */
import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { RetryPolicy as CoreRetryPolicy, type RetryPolicyDeps, type RetryPolicyOptions } from '../core/retry/index.ts';
import {
  EntglDbHealthCheck as CoreHealthCheck,
  SyncStatusTracker as CoreTracker,
  type EntglDbHealthCheckOptions,
  type SyncStatusTrackerOptions,
} from '../diagnostics/index.ts';
import {
  OfflineQueue as CoreOfflineQueue,
  type OfflineQueueDeps,
  type OfflineQueueOptions,
} from '../resilience/index.ts';
import { awaitedClock, systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

const RETRY_POLICY: OptionNames<RetryPolicyOptions & RetryPolicyDeps> = {
  logger: true,
  maxAttempts: true,
  delayMs: true,
  delayMsMax: true,
  clock: true,
  random: true,
};

/**
 * A retry policy of a program's own: `new RetryPolicy({ logger, maxAttempts: 3, delayMs: 1000 })`. Uses the system's clock and
 * randomness unless others are given.
 */
export class RetryPolicy extends CoreRetryPolicy {
  constructor(options: RetryPolicyOptions & Partial<RetryPolicyDeps> = {}) {
    checkOptions(options, 'RetryPolicy', RETRY_POLICY);
    super({ clock: awaitedClock, random: systemRandom, ...options });
  }
}

const OFFLINE_QUEUE: OptionNames<OfflineQueueOptions & OfflineQueueDeps> = {
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
    checkOptions(options ?? null, 'OfflineQueue', OFFLINE_QUEUE);
    if (options.keeper === undefined)
      throw new TypeError(
        'OfflineQueue needs the database that keeps it, as { keeper }; one that is open has db.offlineQueue',
      );
    super({ clock: systemClock, random: systemRandom, soon: setImmediate, ...options });
  }
}

const SYNC_STATUS_TRACKER: OptionNames<SyncStatusTrackerOptions> = { logger: true, clock: true };

/** A tracker of a program's own, on the system clock unless another is given. That of a database is `db.syncTracker`. */
export class SyncStatusTracker extends CoreTracker {
  constructor(options: Partial<SyncStatusTrackerOptions> = {}) {
    checkOptions(options, 'SyncStatusTracker', SYNC_STATUS_TRACKER);
    super({ clock: systemClock, ...options });
  }
}

const HEALTH_CHECK: OptionNames<EntglDbHealthCheckOptions> = {
  checks: true,
  tracker: true,
  clock: true,
  logger: true,
  intervalMs: true,
  checkMsMax: true,
};

/** A health check of a program's own, on the system clock unless another is given. That of a database is `db.healthCheck`. */
export class EntglDbHealthCheck extends CoreHealthCheck {
  constructor(options: Omit<EntglDbHealthCheckOptions, 'clock'> & Partial<Pick<EntglDbHealthCheckOptions, 'clock'>>) {
    checkOptions(options ?? null, 'EntglDbHealthCheck', HEALTH_CHECK);
    if (!Array.isArray(options.checks) || options.tracker === undefined)
      throw new TypeError('EntglDbHealthCheck needs a list of checks and a tracker: { checks: […], tracker }');
    super({ clock: systemClock, ...options });
  }
}
