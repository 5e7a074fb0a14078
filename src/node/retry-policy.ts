import { RetryPolicy as CoreRetryPolicy, type RetryPolicyDeps, type RetryPolicyOptions } from '../core/retry/index.ts';
import { awaitedClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/**
 * The retry policy as programs make it: `new RetryPolicy({ logger, maxAttempts: 3, delayMs: 1000 })`, on the system's clock
 * and randomness unless others are given. All else as in the engine's own.
 */
export class RetryPolicy extends CoreRetryPolicy {
  constructor(options: RetryPolicyOptions & Partial<RetryPolicyDeps> = {}) {
    super({ clock: awaitedClock, random: systemRandom, ...options });
  }
}
