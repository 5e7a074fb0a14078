import type { Clock } from '../../core/clock/index.ts';
import type { Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { fullJitterMs } from '../../core/retry/index.ts';
import type { FlushResult } from './flush-run.ts';

export interface AutoFlushDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Longest pause after the first failure, ms; it doubles with each further one, up to `delayMsMax`. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  readonly count: () => number;
  /** One flush with the registered handler; undefined: there is none. */
  readonly flush: (signal: AbortSignal) => Promise<FlushResult> | undefined;
}

/**
 * Flushes by itself while the node is online: at once when it comes online, soon after something was queued, and after a
 * failure again and again, with growing pauses. Going offline stops the flush that runs; nothing is lost or counted as failed.
 */
export class AutoFlush {
  readonly #deps: AutoFlushDeps;
  #isOnline = false;
  #isRunning = false;
  /** Another run was asked for while one is under way. */
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

  /** Flushes now, whatever pause was meant to come first. */
  restart(): void {
    this.#failures = 0;
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    if (this.#stop.signal.aborted) this.#stop = new AbortController();
    this.#isRunDue = this.#isRunning;
    this.#run();
  }

  /** Something was queued: a pause after a failure goes on, for what is new may need the same peer. */
  wake(): void {
    if (this.#failures === 0) this.#run();
  }

  stop(): void {
    this.setOnline(false);
  }

  #run(): void {
    if (!this.#isOnline || this.#isRunning || this.#deps.count() === 0) return;
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
