import { type Clock, withDeadline } from '../../core/clock/index.ts';
import { messageOf, TimeoutError } from '../../core/errors/index.ts';
import { type HealthCheck, type HealthCheckResult, type HealthFinding, unhealthy } from './health-report.ts';

/**
 * Number of timers in a row that make up the time of a check. While the event loop is blocked, or the machine lets this process wait, only
 * one of them passes: an answer that arrived meanwhile is read before the next, and the check is not blamed.
 */
const SLICES = 5;

/**
 * Runs one check so that nobody waits for it longer than `msMax`. A run that is late is left alone, and no other begins before
 * it has ended: a hanging disk is not asked again and again.
 */
export class CheckRunner {
  readonly check: HealthCheck;
  readonly #clock: Clock;
  readonly #msMax: number;
  #hangingSince: number | undefined;

  constructor(check: HealthCheck, clock: Clock, msMax: number) {
    this.check = check;
    this.#clock = clock;
    this.#msMax = msMax;
  }

  async run(): Promise<HealthCheckResult> {
    const { state, message } = await this.#find();
    return { name: this.check.name, isHealthy: state !== 'unhealthy', state, message };
  }

  async #find(): Promise<HealthFinding> {
    if (this.#hangingSince !== undefined) {
      const seconds = Math.round((this.#clock.monotonic() - this.#hangingSince) / 1000);
      return unhealthy(`has not answered for ${seconds} s`);
    }
    const startedAt = this.#clock.monotonic();
    let isDone = false;
    const work = async (signal: AbortSignal): Promise<HealthFinding> => {
      try {
        return await this.check.run(signal);
      } finally {
        isDone = true;
        this.#hangingSince = undefined;
      }
    };
    try {
      return await withDeadline(inSlices(this.#clock), this.#msMax, work, () => this.#late());
    } catch (error) {
      if (!isDone) this.#hangingSince = startedAt;
      return unhealthy(messageOf(error));
    }
  }

  #late(): TimeoutError {
    return new TimeoutError(`has not answered within ${this.#msMax} ms`, { details: { check: this.check.name } });
  }
}

function inSlices(clock: Clock): Pick<Clock, 'setTimer'> {
  return {
    setTimer: (ms, run) => {
      let cancel = (): void => {};
      let left = SLICES;
      const next = (): void => {
        cancel = clock.setTimer(ms / SLICES, () => (--left > 0 ? next() : run()));
      };
      next();
      return () => cancel();
    },
  };
}
