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

/**
 * Makes an automatic backup whenever the newest one is older than the interval, counting those from before the start. A failed
 * backup is retried after a minute, then after doubled pauses, up to the interval.
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
    try {
      await this.#options.backups.removePartial();
      await this.#options.backups.findLast();
    } catch (error) {
      this.#logger.error({ err: error }, 'the folder of backups cannot be read');
    }
    this.#wait();
  }

  #wait(): void {
    if (this.#stop.signal.aborted) return;
    this.#isWaiting = true;
    this.#cancelTimer = this.#options.clock.setTimer(this.#delayMs(), () => {
      this.#isWaiting = false;
      this.#running = this.#run();
    });
  }

  #delayMs(): number {
    const { backups, clock } = this.#options;
    if (this.#failures > 0)
      return Math.min(this.intervalMs, TIMES.backupRetryMs * 2 ** Math.min(this.#failures - 1, 20));
    if (backups.lastBackupAt === null) return 0;
    // A backup from the future was made under a wrong clock; the next one is due an interval from now at the latest.
    const ageMs = Math.max(0, clock.now() - backups.lastBackupAt);
    return Math.max(0, this.intervalMs - ageMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#options.backups.automatic({ signal });
      this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#logger.error({ err: error, failures: this.#failures }, 'automatic backup failed; it is tried again');
    }
    this.#wait();
  }
}
