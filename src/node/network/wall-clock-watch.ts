import { type Clock, epochMs } from '../../core/clock/index.ts';

/** Time between two checks, ms. */
const WATCH_MS = 1000;

/**
 * Notices when the wall clock was set or the machine slept, which makes earlier comparisons with other clocks meaningless. Changes
 * that add up to less than `stepMsMin` are not reported.
 */
export class WallClockWatch {
  readonly #clock: Clock;
  readonly #stepMsMin: number;
  readonly #onStep: (stepMs: number) => void;
  #epochMs: number;
  #cancelTimer: () => void = () => {};

  constructor(clock: Clock, stepMsMin: number, onStep: (stepMs: number) => void) {
    this.#clock = clock;
    this.#stepMsMin = stepMsMin;
    this.#onStep = onStep;
    this.#epochMs = epochMs(clock);
  }

  start(): void {
    this.#cancelTimer = this.#clock.setTimer(WATCH_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#cancelTimer();
  }

  #look(): void {
    const nowMs = epochMs(this.#clock);
    const stepMs = nowMs - this.#epochMs;
    if (Math.abs(stepMs) < this.#stepMsMin) return;
    this.#epochMs = nowMs;
    this.#onStep(stepMs);
  }
}
