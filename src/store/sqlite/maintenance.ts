import { Worker } from 'node:worker_threads';
import type { Clock } from '../../core/clock/index.ts';
import { DatabaseCorruptionError, PersistenceError } from '../../core/errors/index.ts';
import { closedError } from '../store-errors.ts';
import type { Job, JobReport, JobRequest } from './maintenance-jobs.ts';

export interface JobOptions {
  readonly signal?: AbortSignal;
  /** `damage` and `progress`, as they come. */
  readonly onReport?: (report: JobReport) => void;
}

interface Running {
  readonly stop: Int32Array;
  readonly onReport: (report: JobReport) => void;
  readonly settle: PromiseWithResolvers<number>;
}

/** A thread without work for so long is ended. */
const IDLE_MS_MAX = 10_000;

/** The maintenance thread, started when it is first needed. It never keeps the process alive while it has no job. */
export class Maintenance {
  readonly #clock: Clock;
  readonly #running = new Map<number, Running>();
  #worker: Worker | undefined;
  #jobs = 0;
  #isClosed = false;
  #cancelIdleTimer = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves when the job is done, with the frames that a checkpoint left. A signal asks the job to stop, and rejects when
   * it has, so that no job outlives its call.
   */
  async run(job: Job, { signal, onReport = () => {} }: JobOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
    const id = ++this.#jobs;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const settle = Promise.withResolvers<number>();
    const onAbort = (): void => {
      Atomics.store(stop, 0, 1);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#running.set(id, { stop, onReport, settle });
    this.#post({ id, job, stop });
    try {
      const left = await settle.promise;
      signal?.throwIfAborted();
      if (this.#isClosed) throw closedError();
      return left;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#running.delete(id);
      if (this.#running.size === 0) this.#rest();
    }
  }

  /** Asks running jobs to stop, waits for them, and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running.values()];
    for (const { stop } of running) Atomics.store(stop, 0, 1);
    await Promise.allSettled(running.map(({ settle }) => settle.promise));
    await this.#endThread();
  }

  #post(request: JobRequest): void {
    this.#cancelIdleTimer();
    this.#worker ??= this.#startThread();
    this.#worker.ref();
    this.#worker.postMessage(request);
  }

  #rest(): void {
    this.#worker?.unref();
    this.#cancelIdleTimer();
    this.#cancelIdleTimer = this.#clock.setTimer(IDLE_MS_MAX, () => void this.#endThread());
  }

  #startThread(): Worker {
    const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const worker = new Worker(new URL(`./maintenance-worker${suffix}`, import.meta.url));
    worker.on('message', (report: JobReport) => this.#receive(report));
    worker.on('error', (error) => this.#failAll(worker, error));
    worker.on('exit', () => this.#failAll(worker, closedError()));
    return worker;
  }

  async #endThread(): Promise<void> {
    this.#cancelIdleTimer();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #receive(report: JobReport): void {
    const running = this.#running.get(report.id);
    if (running === undefined) return;
    if (report.kind === 'done') running.settle.resolve(report.left);
    else if (report.kind === 'failed') running.settle.reject(failureOf(report));
    else running.onReport(report);
  }

  /** The thread died of itself; the next job starts another one. */
  #failAll(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { settle } of this.#running.values()) settle.reject(error);
  }
}

function failureOf({ reason, message, details }: JobReport & { kind: 'failed' }): PersistenceError {
  switch (reason) {
    case 'DATABASE_CORRUPT':
    case 'DOCUMENT_CORRUPT':
    case 'BACKUP_INVALID':
      return new DatabaseCorruptionError(message, { reason, details });
    default:
      return new PersistenceError(reason, message, { details });
  }
}
