import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';

interface Saved {
  readonly ms: number;
  /** Wall clock when it was saved, ms. */
  readonly at: number;
}

/**
 * How long this database has been in use, in ms. Retention times use it instead of the wall clock, because a clock that jumps
 * years ahead would delete everything immediately. While the database is open it follows the monotonic clock. Only the wall
 * clock knows how long it was closed, so at most `livedGapMsMax` of that counts. It is saved with a commit every
 * `livedSaveMs`.
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

  /** The text to save with the current commit; undefined if it is not due. */
  saving(): string | undefined {
    const { ms } = this;
    if (this.#savedMs !== undefined && ms - this.#savedMs < TIMES.livedSaveMs) return undefined;
    this.#savedMs = ms;
    return JSON.stringify({ ms, at: this.#clock.now() } satisfies Saved);
  }

  /** Makes the next commit save again: a commit failed, or commits were lost. */
  unsaved(): void {
    this.#savedMs = undefined;
  }
}
