import { EntglDbHealthCheck as CoreHealthCheck, type EntglDbHealthCheckOptions } from '../diagnostics/index.ts';
import { systemClock } from './system-clock.ts';

/** The health check as programs make it: on the system's clock unless another is given. A database's own is `db.healthCheck`. */
export class EntglDbHealthCheck extends CoreHealthCheck {
  constructor(options: Omit<EntglDbHealthCheckOptions, 'clock'> & Partial<Pick<EntglDbHealthCheckOptions, 'clock'>>) {
    super({ clock: systemClock, ...options });
  }
}
