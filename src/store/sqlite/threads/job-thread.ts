import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../core/clock/index.ts';
import { DatabaseCorruptionError, PersistenceError } from '../../../core/errors/index.ts';
import { closedError } from '../../store-errors.ts';
import type { JobControl } from './job-control.ts';
import type { Job, JobReport, JobRequest } from './jobs.ts';

interface Running {
  readonly job: Job;
  readonly control: JobControl;
  readonly onReport: (report: JobReport) => void;
  readonly settle: PromiseWithResolvers<number>;
}

/** A thread that had no work for this time is ended. */
const IDLE_MS_MAX = 10_000;

/**
 * Runs jobs one after another in a thread that exists only while there are some, and a little longer: an idle thread takes
 * 18 MiB. Without a job it never keeps the process alive.
 */
export class JobThread {
  readonly #clock: Clock;
  readonly #running = new Map<number, Running>();
  #worker: Worker | undefined;
  #jobs = 0;
  #cancelIdleTimer = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a running or waiting job may take minutes. */
  get isBusyForLong(): boolean {
    return this.#running.values().some(isLong);
  }

  /** Resolves when all such jobs that exist now have ended, in whatever way. */
  async longDone(): Promise<void> {
    await Promise.allSettled(
      this.#running
        .values()
        .filter(isLong)
        .map(({ settle }) => settle.promise),
    );
  }

  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** Number of running and waiting jobs. */
  get jobs(): number {
    return this.#running.size;
  }

  /** Resolves with the result of the job when it is done. */
  async run(job: Job, control: JobControl, onReport: (report: JobReport) => void): Promise<number> {
    const id = ++this.#jobs;
    const settle = Promise.withResolvers<number>();
    this.#running.set(id, { job, control, onReport, settle });
    try {
      this.#post({ id, job, cell: control.cell });
      return await settle.promise;
    } finally {
      this.#running.delete(id);
      if (this.#running.size === 0) this.#rest();
    }
  }

  /** Asks its jobs to stop, waits for them, and ends the thread. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { control } of running) control.stop();
    await Promise.allSettled(running.map(({ settle }) => settle.promise));
    await this.#end();
  }

  #post(request: JobRequest): void {
    this.#cancelIdleTimer();
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(request);
  }

  #rest(): void {
    this.#worker?.unref();
    this.#cancelIdleTimer();
    this.#cancelIdleTimer = this.#clock.setTimer(IDLE_MS_MAX, () => void this.#end());
  }

  #start(): Worker {
    const worker = startWorker(import.meta.url);
    worker.on('message', (report: JobReport) => this.#receive(report));
    worker.on('error', (error) => this.#failAll(worker, isMissing(error) ? noWorkerFile(error) : error));
    worker.on('exit', () => this.#failAll(worker, closedError()));
    return worker;
  }

  async #end(): Promise<void> {
    this.#cancelIdleTimer();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #receive(report: JobReport): void {
    const running = this.#running.get(report.id);
    if (running === undefined) return;
    if (report.kind === 'done') running.settle.resolve(report.result);
    else if (report.kind === 'failed') running.settle.reject(failureOf(report));
    else running.onReport(report);
  }

  /** Rejects all jobs of a thread that died by itself. The next job starts another one. */
  #failAll(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { settle } of this.#running.values()) settle.reject(error);
  }
}

/** Starts the file beside the module with this URL. In a bundle of CommonJS there is no such URL. */
export function startWorker(moduleUrl: string | undefined): Worker {
  if (moduleUrl === undefined) throw noWorkerFile(undefined);
  const suffix = moduleUrl.endsWith('.ts') ? '.ts' : '.js';
  return new Worker(new URL(`./store-worker${suffix}`, moduleUrl));
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
}

function noWorkerFile(cause: unknown): PersistenceError {
  const remedy = 'keep the package entgldb out of the bundle, or copy its dist/store-worker*.js beside the bundle';
  return new PersistenceError('IO_FAILED', `the file of the thread for backups and checks is missing; ${remedy}`, {
    cause,
  });
}

function isLong({ job }: Running): boolean {
  return job.kind !== 'checkpoint';
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
