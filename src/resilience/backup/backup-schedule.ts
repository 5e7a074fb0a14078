import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import type { BackupService } from './backup-service.ts';

export interface BackupScheduleOptions {
  readonly backups: BackupService;
  readonly clock: Clock;
  /** Time between two automatic backups, ms. */
  readonly intervalMs: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** A moment on both clocks: the one of the machine, which may be set, and the one that stands still while the machine sleeps. */
interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/**
 * Makes an automatic backup whenever the newest one is older than the interval, counting those from before the start. A failed
 * backup is retried after a minute, then after doubled pauses, up to the interval.
 *
 * A backup is due when either clock says so. So one is made soon after a sleep, and neither a clock that is set back nor one that
 * was years ahead keeps the next one off for longer than the interval. A clock that is set forward costs one backup too many.
 */
export class BackupSchedule {
  readonly startedAt: number;
  readonly #options: BackupScheduleOptions;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #intervalMs: number;
  #isStarted = false;
  #isWaiting = false;
  #failures = 0;
  #cancelTimer: () => void = () => {};
  /** When the last backup was made or tried. */
  #last: Moment = { wallMs: 0, monotonicMs: 0 };
  #running: Promise<void> = Promise.resolve();

  constructor(options: BackupScheduleOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#intervalMs = options.intervalMs;
    this.startedAt = options.clock.now();
  }

  /** Time between two automatic backups, ms. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Changes the time between two automatic backups, ms, also for the next one. */
  changeInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    if (!this.#isWaiting) return;
    this.#cancelTimer();
    this.#wait();
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#running = this.#prepare();
  }

  /** Ends the schedule and aborts the backup that it is making, which leaves nothing. Idempotent. */
  async stop(): Promise<void> {
    this.#cancelTimer();
    this.#stop.abort(new DOMException('automatic backups were stopped', 'AbortError'));
    await this.#running;
  }

  async #prepare(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#options.backups.removePartial(signal);
      await this.#options.backups.findLast();
    } catch (error) {
      if (signal.aborted) return;
      this.#logger.error({ err: error }, 'the folder of backups cannot be read');
    }
    const { clock, backups } = this.#options;
    const wallMs = backups.lastBackupAt ?? Number.NEGATIVE_INFINITY;
    this.#last = { wallMs, monotonicMs: clock.monotonic() - Math.max(0, clock.now() - wallMs) };
    this.#wait();
  }

  /** Waits in short steps until the next backup is due. */
  #wait(): void {
    if (this.#stop.signal.aborted) return;
    this.#isWaiting = true;
    this.#cancelTimer = this.#options.clock.setTimer(Math.min(this.#dueInMs(), TIMES.backupLookMs), () => {
      if (this.#dueInMs() > 0) return this.#wait();
      this.#isWaiting = false;
      this.#running = this.#run();
    });
  }

  #dueInMs(): number {
    const { clock } = this.#options;
    const { wallMs, monotonicMs } = this.#last;
    const sinceMs = Math.max(clock.now() - wallMs, clock.monotonic() - monotonicMs);
    return Math.max(0, this.#pauseMs() - sinceMs);
  }

  /** The time from the last backup, or the last failure, to the next attempt. */
  #pauseMs(): number {
    if (this.#failures === 0) return this.intervalMs;
    return Math.min(this.intervalMs, TIMES.backupRetryMs * 2 ** Math.min(this.#failures - 1, 20));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const began = this.#now();
    try {
      await this.#options.backups.automatic({ signal });
      this.#failures = 0;
      this.#last = began;
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#last = this.#now();
      this.#logger.error({ err: error, failures: this.#failures }, 'automatic backup failed; it is tried again');
    }
    this.#wait();
  }

  #now(): Moment {
    const { clock } = this.#options;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }
}
