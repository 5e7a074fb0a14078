import type { Clock } from '../../../core/clock/index.ts';
import { closedError } from '../../store-errors.ts';
import { JobControl } from './job-control.ts';
import { JobThread } from './job-thread.ts';
import type { Job, JobReport } from './jobs.ts';

export interface JobOptions {
  readonly signal?: AbortSignal;
  /** Receives `damage`, `progress` and `found` reports as they come. A `found` part counts as taken when this returns. */
  readonly onReport?: (report: JobReport) => void;
}

/**
 * Threads for long work. Jobs that may take minutes run in one of them, one after another. A checkpoint never waits for those:
 * it then uses the other thread. Usually one is enough. Queries have two threads of their own, so that a very long one does
 * not hold up all others.
 */
export class JobThreads {
  readonly #threads: readonly JobThread[];
  readonly #queryThreads: readonly JobThread[];
  #isClosed = false;

  constructor(clock: Clock) {
    this.#threads = [new JobThread(clock), new JobThread(clock)];
    this.#queryThreads = [new JobThread(clock), new JobThread(clock)];
  }

  /**
   * Resolves with the result of the job when it is done. An aborted signal asks the job to stop; the call rejects once it
   * has stopped, so that no job outlives its call.
   */
  async run(job: Job, { signal, onReport = () => {} }: JobOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
    const control = new JobControl();
    const onAbort = (): void => control.stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const result = await this.#threadFor(job).run(job, control, (report) => {
        onReport(report);
        if (report.kind === 'found') control.took();
      });
      signal?.throwIfAborted();
      if (this.#isClosed) throw closedError();
      return result;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Whether a check or a backup runs or waits: each reads the file. */
  get isReading(): boolean {
    return this.#threads.some(({ isBusyForLong }) => isBusyForLong);
  }

  /** Resolves when none of them does any more, which may take minutes. */
  async readingDone(): Promise<void> {
    while (this.isReading) await Promise.all(this.#threads.map((thread) => thread.longDone()));
  }

  /** Asks running jobs to stop, waits for them, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads, ...this.#queryThreads].map((thread) => thread.close()));
  }

  #threadFor({ kind }: Job): JobThread {
    if (kind === 'find' || kind === 'count') return leastBusy(this.#queryThreads);
    const isLong = kind !== 'checkpoint';
    const fitting = this.#threads.filter(({ isBusyForLong }) => isBusyForLong === isLong);
    const candidates = fitting.length > 0 ? fitting : this.#threads;
    return candidates.find(({ isStarted }) => isStarted) ?? candidates[0]!;
  }
}

/** The thread with the fewest jobs; among equals, rather one that is already started. */
function leastBusy(threads: readonly JobThread[]): JobThread {
  const cost = ({ jobs, isStarted }: JobThread): number => 2 * jobs + (isStarted ? 0 : 1);
  return threads.reduce((best, thread) => (cost(thread) < cost(best) ? thread : best));
}
