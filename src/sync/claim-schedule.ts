import type { SessionTimes } from './session-context.ts';

/** Time between two looks through all streams, ms. */
const LOOK_PAUSE_MS = 20;

/** R8: when live claims are made. All times are monotonic, ms. */
export class ClaimSchedule {
  readonly #times: SessionTimes;
  /** When the next one is due; undefined: there is nothing to claim. */
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

  /** Something wants to be claimed: after `claimDelayMs`, or when `claimVersionsMax` were sent. */
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

  /** What was committed may want to be claimed: all streams are to be looked through, and so not after each of many commits. */
  committed(): void {
    this.#isLookDue = true;
  }

  /** Whether they are to be looked through now; once. */
  takeLook(nowMs: number): boolean {
    if (!this.#isLookDue || nowMs < this.#lookMs) return false;
    this.#isLookDue = false;
    if (this.isPlanned) return false;
    this.#lookMs = nowMs + LOOK_PAUSE_MS;
    return true;
  }
}
