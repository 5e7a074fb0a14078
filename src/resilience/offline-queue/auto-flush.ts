import type { Clock } from '../../core/clock/index.ts';
import type { Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { fullJitterMs } from '../../core/retry/index.ts';
import type { FlushResult } from './flush-run.ts';

export interface AutoFlushDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Longest pause after the first failure, ms; doubles with each further failure, up to `delayMsMax`. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  readonly count: () => number;
  /** Flushes with the registered handler; undefined if there is none. */
  readonly flush: (signal: AbortSignal) => Promise<FlushResult> | undefined;
}

/**
 * Flushes automatically while the node is online: when it comes online, when something is queued, and after a failure again and
 * again, with growing pauses. Going offline stops the running flush; nothing is lost or counted as failed.
 */
export class AutoFlush {
  readonly #deps: AutoFlushDeps;
  #isOnline = false;
  #isRunning = false;
  /** Whether another run was requested during the present one. */
  #isRunDue = false;
  #failures = 0;
  #stop = new AbortController();
  #cancelTimer: () => void = () => {};

  constructor(deps: AutoFlushDeps) {
    this.#deps = deps;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  setOnline(isOnline: boolean): void {
    if (isOnline === this.#isOnline) return;
    this.#isOnline = isOnline;
    if (isOnline) return this.restart();
    this.#cancelTimer();
    this.#stop.abort(new DOMException('the node went offline', 'AbortError'));
  }

  /** Flushes now, without waiting for a pause after a failure. */
  restart(): void {
    this.#failures = 0;
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    if (this.#stop.signal.aborted) this.#stop = new AbortController();
    this.#isRunDue = this.#isRunning;
    this.#run();
  }

  /** Something was queued. A pause after a failure continues, because the new operation may need the same peer. */
  wake(): void {
    if (this.#failures === 0) this.#run();
  }

  stop(): void {
    this.setOnline(false);
  }

  #run(): void {
    if (!this.#isOnline || this.#isRunning) return;
    if (this.#deps.count() === 0) {
      // What failed has left the queue meanwhile, so the next operation has nothing to wait for.
      this.#failures = 0;
      return;
    }
    const { signal } = this.#stop;
    const flushing = this.#deps.flush(signal);
    if (flushing === undefined) return;
    this.#isRunning = true;
    flushing.then(
      ({ failed }) => this.#ended(failed > 0, signal),
      (error: unknown) => {
        if (!signal.aborted) this.#deps.logger.error({ err: error }, 'the offline queue could not be flushed');
        this.#ended(true, signal);
      },
    );
  }

  #ended(isFailed: boolean, signal: AbortSignal): void {
    this.#isRunning = false;
    if (this.#isRunDue) {
      this.#isRunDue = false;
      return this.#run();
    }
    if (signal.aborted) return;
    if (!isFailed) {
      this.#failures = 0;
      return this.#run();
    }
    this.#failures++;
    const { random, clock, delayMs, delayMsMax } = this.#deps;
    const pauseMs = fullJitterMs(random, this.#failures, delayMs, delayMsMax);
    this.#cancelTimer = clock.setTimer(pauseMs, () => this.#run());
  }
}
