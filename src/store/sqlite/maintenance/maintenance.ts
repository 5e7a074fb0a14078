import type { Clock } from '../../../core/clock/index.ts';
import { closedError } from '../../store-errors.ts';
import { JobControl } from './job-control.ts';
import type { Job, JobReport } from './maintenance-jobs.ts';
import { MaintenanceThread } from './maintenance-thread.ts';

export interface JobOptions {
  readonly signal?: AbortSignal;
  /** `damage`, `progress` and `found`, as they come. A part that was found is taken when this returns. */
  readonly onReport?: (report: JobReport) => void;
}

/**
 * Threads for what takes long. What may take minutes is done by one of them, one job after another; a checkpoint never waits for
 * that, and takes the other one then. Mostly one is enough. Queries have two of their own: a very long one holds up no others.
 */
export class Maintenance {
  readonly #threads: readonly MaintenanceThread[];
  readonly #queryThreads: readonly MaintenanceThread[];
  #isClosed = false;

  constructor(clock: Clock) {
    this.#threads = [new MaintenanceThread(clock), new MaintenanceThread(clock)];
    this.#queryThreads = [new MaintenanceThread(clock), new MaintenanceThread(clock)];
  }

  /**
   * Resolves when the job is done, with its result. A signal asks the job to stop, and rejects when
   * it has, so that no job outlives its call.
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

  /** Whether a check or a backup is under way or waits: each reads the file. */
  get isReading(): boolean {
    return this.#threads.some(({ isBusyForLong }) => isBusyForLong);
  }

  /** Resolves when none of them is, which they may take minutes for. */
  async readingDone(): Promise<void> {
    while (this.isReading) await Promise.all(this.#threads.map((thread) => thread.longDone()));
  }

  /** Asks running jobs to stop, waits for them, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads, ...this.#queryThreads].map((thread) => thread.close()));
  }

  #threadFor({ kind }: Job): MaintenanceThread {
    if (kind === 'find' || kind === 'count') return leastBusy(this.#queryThreads);
    const isLong = kind !== 'checkpoint';
    const fitting = this.#threads.filter(({ isBusyForLong }) => isBusyForLong === isLong);
    const candidates = fitting.length > 0 ? fitting : this.#threads;
    return candidates.find(({ isStarted }) => isStarted) ?? candidates[0]!;
  }
}

/** One that is there already rather than one that would have to be started. */
function leastBusy(threads: readonly MaintenanceThread[]): MaintenanceThread {
  const cost = ({ jobs, isStarted }: MaintenanceThread): number => 2 * jobs + (isStarted ? 0 : 1);
  return threads.reduce((best, thread) => (cost(thread) < cost(best) ? thread : best));
}
