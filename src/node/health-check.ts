import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { EntglDbHealthCheck as CoreHealthCheck, type EntglDbHealthCheckOptions } from '../diagnostics/index.ts';
import { systemClock } from './system-clock.ts';

const NAMES: OptionNames<EntglDbHealthCheckOptions> = {
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
    checkOptions(options ?? null, 'EntglDbHealthCheck', NAMES);
    if (!Array.isArray(options.checks) || options.tracker === undefined)
      throw new TypeError('EntglDbHealthCheck needs a list of checks and a tracker: { checks: […], tracker }');
    super({ clock: systemClock, ...options });
  }
}
