import type { Clock } from './clock.ts';
import { TURN_MS } from './turn.ts';

/**
 * Steps that are awaited one by one are the program's own work: it gets several times what a slice of ours takes, for a turn that is
 * let go costs a third of a millisecond by itself, and whatever is due in it. With three turns for six, awaited writes took 3 % longer.
 */
const SHARE_MS = 6 * TURN_MS;
/** Short steps between two looks at the clock, which takes a tenth of a read from the cache. */
const STEPS_PER_LOOK = 16;

export interface LoopShareDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What steps may take of one turn, ms. Default: what awaited steps of a program get. */
  readonly shareMs?: number;
  /** Calls back after other work had its turn. */
  readonly soon: (run: () => void) => void;
}

/**
 * Keeps loops of short awaited steps from holding up timers and sockets: a promise that is settled already is awaited within the
 * same turn of the event loop, however many of them follow each other.
 */
export class LoopShare {
  readonly #deps: LoopShareDeps;
  /** When the first step of this turn was made; undefined: there was none. */
  #since: number | undefined;
  #steps = 0;

  constructor(deps: LoopShareDeps) {
    this.#deps = deps;
  }

  /** As `pause`, before steps of some microseconds: most of them are not looked at. */
  pauseOfMany(): Promise<void> | undefined {
    this.#steps = (this.#steps + 1) % STEPS_PER_LOOK;
    return this.#steps === 0 ? this.pause() : undefined;
  }

  /** Before each step. Undefined: go on; else what to wait for first. */
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
