import type { Clock } from '../src/core/clock/index.ts';
import type { SessionEvent, SessionRunner } from '../src/sync/index.ts';

/** When each session of a node completed a round last, as the health check `sync-lag` sees it. */
export class RoundWatch {
  readonly #clock: Clock;
  readonly #lastMs = new WeakMap<SessionRunner, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  followed({ kind }: SessionEvent, session: SessionRunner): void {
    if (kind === 'opened' || kind === 'claimed' || kind === 'up-to-date')
      this.#lastMs.set(session, this.#clock.monotonic());
  }

  /** How long ago that was, or the session began, ms. */
  lagMs(session: SessionRunner): number {
    return this.#clock.monotonic() - (this.#lastMs.get(session) ?? 0);
  }
}
