import type { SessionTimes } from '../session-context.ts';

/** Minimum time between two looks through all streams, ms. */
const LOOK_PAUSE_MS = 20;

/** R8: when live claims are made. All times are monotonic, ms. */
export class ClaimSchedule {
  readonly #times: SessionTimes;
  /** When the next claim is due; undefined if there is nothing to claim. */
  #dueMs: number | undefined;
  #sentVersions = 0;
  #isLookDue = false;
  #lookMs = 0;

  constructor(times: SessionTimes) {
    this.#times = times;
  }

  get nextWakeMs(): number {
    return this.#dueMs ?? (this.#isLookDue ? this.#lookMs : Number.POSITIVE_INFINITY);
  }

  get isPlanned(): boolean {
    return this.#dueMs !== undefined;
  }

  /** There is something to claim: a claim is due after `claimDelayMs`, or once `claimVersionsMax` versions were sent. */
  plan(nowMs: number): void {
    this.#dueMs ??= nowMs + this.#times.claimDelayMs;
  }

  sent(versions: number): void {
    this.#sentVersions += versions;
  }

  isDue(nowMs: number): boolean {
    if (this.#dueMs === undefined) return false;
    return nowMs >= this.#dueMs || this.#sentVersions >= this.#times.claimVersionsMax;
  }

  claimed(): void {
    this.#dueMs = undefined;
    this.#sentVersions = 0;
  }

  /** A commit may have left something to claim. To find out takes a look through all streams, so not after each of many commits. */
  committed(): void {
    this.#isLookDue = true;
  }

  /** Whether to look through all streams now. True once per look. */
  takeLook(nowMs: number): boolean {
    if (!this.#isLookDue || nowMs < this.#lookMs) return false;
    this.#isLookDue = false;
    if (this.isPlanned) return false;
    this.#lookMs = nowMs + LOOK_PAUSE_MS;
    return true;
  }
}
