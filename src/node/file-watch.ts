import { type Clock, sleep } from '../core/clock/index.ts';
import { TIMES } from '../core/config/index.ts';

export interface FileWatchDeps {
  /** Whether the file that is open lies in its place. */
  readonly isInPlace: () => Promise<boolean>;
  readonly clock: Clock;
  /** Told once. */
  readonly onLost: () => void;
}

/** Looks again and again whether the database's file is in its place; twice in a row it must be missed. */
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
      // What cannot be looked at now is looked at again.
      missed = (await isInPlace().catch(() => true)) ? 0 : missed + 1;
    }
    this.#stop.signal.throwIfAborted();
    onLost();
  }
}
