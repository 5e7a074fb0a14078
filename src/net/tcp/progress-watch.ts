import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';

export interface ProgressWatchDeps {
  readonly clock: Clock;
  readonly bytesPerSecondMin: number;
  /** Whether a transfer is under way at this moment. */
  readonly isUnderWay: () => boolean;
  /** Bytes transferred so far; never decreases. */
  readonly bytesDone: () => number;
  readonly tooSlow: () => void;
}

/**
 * Watches that transfers keep a minimum rate: in each window of 30 s, enough bytes must pass or a new transfer must begin. So
 * a frame that drips in, or a peer that stopped reading, cannot hold memory for longer. There is one timer at a time, and
 * none once a window ends with nothing under way.
 */
export class ProgressWatch {
  readonly #deps: ProgressWatchDeps;
  #cancelTimer: (() => void) | undefined;
  #hasStartedAnew = false;
  #bytesAtWindow = 0;

  constructor(deps: ProgressWatchDeps) {
    this.#deps = deps;
  }

  /** A transfer may be under way from now on. `isNew`: it is not the same as before. */
  begin(isNew: boolean): void {
    if (isNew) this.#hasStartedAnew = true;
    if (this.#cancelTimer === undefined) this.#openWindow();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #openWindow(): void {
    this.#hasStartedAnew = false;
    this.#bytesAtWindow = this.#deps.bytesDone();
    this.#cancelTimer = this.#deps.clock.setTimer(TIMES.channelWindowMs, () => this.#closeWindow());
  }

  #closeWindow(): void {
    this.#cancelTimer = undefined;
    if (!this.#deps.isUnderWay()) return;
    const bytesMin = (this.#deps.bytesPerSecondMin * TIMES.channelWindowMs) / 1000;
    const isFast = this.#deps.bytesDone() - this.#bytesAtWindow >= bytesMin;
    if (isFast || this.#hasStartedAnew) this.#openWindow();
    else this.#deps.tooSlow();
  }
}
