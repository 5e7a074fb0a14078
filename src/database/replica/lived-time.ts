import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';

interface Saved {
  readonly ms: number;
  /** Wall clock when it was saved, ms. */
  readonly at: number;
}

/**
 * How long this database has been in use, ms. What is kept "for 90 days" is kept by it and not by the wall clock: one that jumps years
 * ahead would empty it at once. While the database is open it is the monotonic clock; of the time for which it was closed only the
 * wall clock knows, so that no more than `livedGapMsMax` of it counts. It is saved with some commit in each `livedSaveMs`.
 */
export class LivedTime {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #beforeMs: number;
  #savedMs: number | undefined;

  constructor(clock: Clock, text: string | undefined) {
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    const saved = text === undefined ? undefined : (JSON.parse(text) as Saved);
    this.#savedMs = saved?.ms;
    const gapMs = saved === undefined ? 0 : clock.now() - saved.at;
    this.#beforeMs = (saved?.ms ?? 0) + Math.min(Math.max(0, gapMs), TIMES.livedGapMsMax);
  }

  get ms(): number {
    return Math.round(this.#beforeMs + this.#clock.monotonic() - this.#startedMs);
  }

  /** What to save with the commit that is being made; undefined: it is not due. */
  saving(): string | undefined {
    const { ms } = this;
    if (this.#savedMs !== undefined && ms - this.#savedMs < TIMES.livedSaveMs) return undefined;
    this.#savedMs = ms;
    return JSON.stringify({ ms, at: this.#clock.now() } satisfies Saved);
  }

  /** The commit failed, or commits were lost: the next one saves again. */
  unsaved(): void {
    this.#savedMs = undefined;
  }
}
