import type { Clock } from './clock.ts';
import { TURN_MS } from './turn.ts';

/**
 * Steps awaited one by one are the program's own work, so they get several times the slice that our own long work gets:
 * giving up the turn costs a third of a millisecond, plus whatever else is due. With 3 instead of 6, awaited writes took
 * 3 % longer.
 */
const SHARE_MS = 6 * TURN_MS;
/** Short steps between two readings of the clock. One reading takes a tenth of a read from the cache. */
const STEPS_PER_LOOK = 16;

export interface LoopShareDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Time that steps may take of one turn, ms. Default: `SHARE_MS`, the share of a program's awaited steps. */
  readonly shareMs?: number;
  /** Calls `run` after other work has had its turn. */
  readonly soon: (run: () => void) => void;
}

/**
 * Keeps loops of short awaited steps from holding up timers and sockets. Awaiting a promise that is already settled does
 * not end the turn of the event loop, however many such awaits follow each other.
 */
export class LoopShare {
  readonly #deps: LoopShareDeps;
  /** When the first step of this turn began; undefined: none has. */
  #since: number | undefined;
  #steps = 0;

  constructor(deps: LoopShareDeps) {
    this.#deps = deps;
  }

  /** As `pause`, for steps of a few microseconds: only every sixteenth call looks at the clock. */
  pauseOfMany(): Promise<void> | undefined {
    this.#steps = (this.#steps + 1) % STEPS_PER_LOOK;
    return this.#steps === 0 ? this.pause() : undefined;
  }

  /** To be called before each step. Undefined: go on; otherwise a promise to await first. */
  pause(): Promise<void> | undefined {
    const { clock, soon, shareMs = SHARE_MS } = this.#deps;
    const nowMs = clock.monotonic();
    if (this.#since === undefined) {
      this.#since = nowMs;
      soon(() => {
        this.#since = undefined;
      });
    }
    if (nowMs - this.#since < shareMs) return undefined;
    return new Promise<void>((resolve) => soon(resolve));
  }
}
