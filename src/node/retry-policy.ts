import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { RetryPolicy as CoreRetryPolicy, type RetryPolicyDeps, type RetryPolicyOptions } from '../core/retry/index.ts';
import { awaitedClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

const NAMES: OptionNames<RetryPolicyOptions & RetryPolicyDeps> = {
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
    checkOptions(options, 'RetryPolicy', NAMES);
    super({ clock: awaitedClock, random: systemRandom, ...options });
  }
}
