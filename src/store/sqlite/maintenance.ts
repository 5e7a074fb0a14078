import type { Clock } from '../../core/clock/index.ts';
import { closedError } from '../store-errors.ts';
import type { Job, JobReport } from './maintenance-jobs.ts';
import { MaintenanceThread } from './maintenance-thread.ts';

export interface JobOptions {
  readonly signal?: AbortSignal;
  /** `damage` and `progress`, as they come. */
  readonly onReport?: (report: JobReport) => void;
}

/**
 * Threads for what takes long. What may take minutes is done by one of them, one job after another; a checkpoint never waits for
 * that, and takes the other one then. Mostly one is enough.
 */
export class Maintenance {
  readonly #threads: readonly MaintenanceThread[];
  #isClosed = false;

  constructor(clock: Clock) {
    this.#threads = [new MaintenanceThread(clock), new MaintenanceThread(clock)];
  }

  /**
   * Resolves when the job is done, with the frames that a checkpoint left. A signal asks the job to stop, and rejects when
   * it has, so that no job outlives its call.
   */
  async run(job: Job, { signal, onReport = () => {} }: JobOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const onAbort = (): void => {
      Atomics.store(stop, 0, 1);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const left = await this.#threadFor(job).run(job, stop, onReport);
      signal?.throwIfAborted();
      if (this.#isClosed) throw closedError();
      return left;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Asks running jobs to stop, waits for them, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #threadFor({ kind }: Job): MaintenanceThread {
    const isLong = kind !== 'checkpoint';
    const fitting = this.#threads.filter(({ isBusyForLong }) => isBusyForLong === isLong);
    const candidates = fitting.length > 0 ? fitting : this.#threads;
    return candidates.find(({ isStarted }) => isStarted) ?? candidates[0]!;
  }
}
