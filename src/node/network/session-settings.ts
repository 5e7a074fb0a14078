import { type Limits, TIMES } from '../../core/config/index.ts';
import type { SessionTimes } from '../../sync/index.ts';
import type { NetworkOptions, NetworkSettings } from './network-options.ts';

/** What sessions look up at each use, so that it may change while they live. */
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

  /** Takes over the settings, and the bounds of the node as they are now. */
  apply({ syncIntervalMs, batchVersionsMax }: NetworkSettings): void {
    Object.assign(this.times, { syncIntervalMs });
    Object.assign(this.limits, this.#bounds, { messageVersionsMax: batchVersionsMax });
  }
}
