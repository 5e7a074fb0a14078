import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { guardCallers } from '../../core/options/index.ts';
import type { SyncStatusTracker } from '../sync-status-tracker.ts';
import { CheckRunner } from './check-runner.ts';
import {
  type HealthCheck,
  type HealthCheckResult,
  type HealthReport,
  type HealthState,
  worstState,
} from './health-report.ts';

export interface EntglDbHealthCheckOptions {
  /** The checks, in the order in which they are reported; names are unique. */
  readonly checks: readonly HealthCheck[];
  /** Where `connectedPeers` and `lastSyncTime` come from. */
  readonly tracker: SyncStatusTracker;
  readonly clock: Clock;
  /** Receives one line for each change of a check's state. Default: silent. */
  readonly logger?: Logger;
  /** Time between two periodic checks, ms. Default 300,000. */
  readonly intervalMs?: number;
  /** How long one check may take, ms. Default 1,500. */
  readonly checkMsMax?: number;
}

/** A check whose state has changed since it last ran. */
export interface HealthChange {
  /** Name of the check. */
  readonly name: string;
  readonly before: HealthState;
  readonly after: HealthState;
  readonly message: string;
}

/**
 * Reports whether the node is healthy and, if not, what is wrong and why. Each `check` runs the checks again, so that health
 * recovers by itself when a fault ends. It takes no longer than one check may, and never rejects.
 */
export class EntglDbHealthCheck {
  readonly #runners: readonly CheckRunner[];
  readonly #tracker: SyncStatusTracker;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stateByName = new Map<string, HealthState>();
  readonly #listeners = new Set<(change: HealthChange) => void>();
  /** Checks to run within the next second, whatever their interval. */
  readonly #due = new Set<string>();
  #checking: Promise<HealthReport> | undefined;
  #isRunning = false;
  #isTicking = false;
  #intervalMs: number;
  #nextFullMs = 0;
  #cancelTimer: () => void = () => {};

  constructor(options: EntglDbHealthCheckOptions) {
    const { checks, tracker, clock, logger = silentLogger } = options;
    const msMax = options.checkMsMax ?? TIMES.healthCheckMsMax;
    this.#runners = checks.map((check) => new CheckRunner(check, clock, msMax));
    this.#tracker = tracker;
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalMs = options.intervalMs ?? TIMES.healthIntervalMs;
  }

  /** Runs all checks now. Calls during a run share its result. */
  check(): Promise<HealthReport> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Calls `listener` at each change of a check's state, whoever asked for the check. Returns a function that ends the subscription. */
  onChange(listener: (change: HealthChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something happened that this check would find: it runs within a second, if periodic checks are started. */
  lookAt(name: string): void {
    this.#due.add(name);
  }

  /** Runs all checks now and at each interval, and every second those that are quick or not healthy. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#nextFullMs = this.#clock.monotonic();
    if (!this.#isTicking) void this.#tick();
  }

  /** Changes the time between two periodic checks, ms, counting from now. */
  changeInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#nextFullMs = this.#clock.monotonic() + intervalMs;
  }

  /** Ends the periodic checks; `check` still works. Idempotent. */
  stop(): void {
    this.#isRunning = false;
    this.#cancelTimer();
  }

  async #tick(): Promise<void> {
    this.#isTicking = true;
    if (this.#clock.monotonic() >= this.#nextFullMs) {
      this.#nextFullMs = this.#clock.monotonic() + this.#intervalMs;
      await this.check();
    } else {
      await this.#run(this.#runners.filter(({ check }) => this.#isDue(check)));
    }
    this.#isTicking = false;
    if (!this.#isRunning) return;
    this.#cancelTimer = this.#clock.setTimer(TIMES.healthQuickIntervalMs, () => void this.#tick());
  }

  #isDue({ name, isQuick }: HealthCheck): boolean {
    const state = this.#stateByName.get(name) ?? 'healthy';
    return this.#due.delete(name) || isQuick === true || state !== 'healthy';
  }

  async #check(): Promise<HealthReport> {
    const checks = await this.#run(this.#runners);
    const isPartHealthy = (part: HealthCheck['part']): boolean =>
      this.#runners.every(({ check }, i) => check.part !== part || checks[i]!.isHealthy);
    const { activePeers, lastSyncTime } = this.#tracker.getStatus();
    return {
      isHealthy: checks.every(({ isHealthy }) => isHealthy),
      state: worstState(checks.map(({ state }) => state)),
      databaseHealthy: isPartHealthy('database'),
      networkHealthy:
        isPartHealthy('network') && !checks.some(({ name, state }) => name === 'peers' && state !== 'healthy'),
      connectedPeers: activePeers.length,
      lastSyncTime,
      errors: checks.filter(({ isHealthy }) => !isHealthy).map(({ name, message }) => `${name}: ${message}`),
      checks,
    };
  }

  async #run(runners: readonly CheckRunner[]): Promise<HealthCheckResult[]> {
    const results = await Promise.all(runners.map((runner) => runner.run()));
    for (const result of results) this.#note(result);
    return results;
  }

  #note({ name, state, message }: HealthCheckResult): void {
    const before = this.#stateByName.get(name) ?? 'healthy';
    this.#stateByName.set(name, state);
    if (state === before) return;
    const fields = { check: name, before, after: state, reason: message };
    if (state === 'healthy') this.#logger.info(fields, 'healthy again');
    else if (state === 'degraded') this.#logger.warn(fields, 'health is degraded');
    else this.#logger.error(fields, 'unhealthy');
    for (const listener of [...this.#listeners]) {
      try {
        listener({ name, before, after: state, message });
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of health threw');
      }
    }
  }
}

guardCallers(EntglDbHealthCheck.prototype, { onChange: 'throws' });
