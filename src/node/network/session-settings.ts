import { type Limits, TIMES } from '../../core/config/index.ts';
import type { SessionTimes } from '../../sync/index.ts';
import type { NetworkOptions, NetworkSettings } from './network-options.ts';

/** Times and limits that sessions look up at each use, so that they may change meanwhile. */
export class SessionSettings {
  readonly times: SessionTimes;
  readonly limits: Limits;
  readonly #bounds: Limits;

  constructor({ settings, limits, clockDriftMsMax }: NetworkOptions) {
    this.#bounds = limits;
    this.times = { ...TIMES, clockDriftMsMax };
    this.limits = { ...limits };
    this.apply(settings);
  }

  /** Takes over new settings, and the node's present bounds. */
  apply({ syncIntervalMs, batchVersionsMax }: NetworkSettings): void {
    Object.assign(this.times, { syncIntervalMs });
    Object.assign(this.limits, this.#bounds, { messageVersionsMax: batchVersionsMax });
  }
}
