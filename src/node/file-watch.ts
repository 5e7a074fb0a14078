import { type Clock, sleep } from '../core/clock/index.ts';
import { TIMES } from '../core/config/index.ts';

export interface FileWatchDeps {
  /** Whether the open file is still in its place. */
  readonly isInPlace: () => Promise<boolean>;
  readonly clock: Clock;
  /** Called once. */
  readonly onLost: () => void;
}

/** Checks at intervals whether the database file is in its place; reports it as lost when it was missing twice in a row. */
export class FileWatch {
  readonly #deps: FileWatchDeps;
  readonly #stop = new AbortController();

  constructor(deps: FileWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#watch().catch(() => {
      // Stopped.
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { isInPlace, clock, onLost } = this.#deps;
    for (let missed = 0; missed < 2; ) {
      await sleep(clock, TIMES.fileWatchMs, this.#stop.signal);
      // A failed check does not count as missing.
      missed = (await isInPlace().catch(() => true)) ? 0 : missed + 1;
    }
    this.#stop.signal.throwIfAborted();
    onLost();
  }
}
