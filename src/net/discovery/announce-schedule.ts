import type { Random } from '../../core/ids/index.ts';

/** After a start or a change of the network: at once and soon again, since some of it may be lost. */
const BURST_AT_MS = [0, 500, 1000, 2000] as const;
/** Share of the interval by which announcements of a crowd spread. */
const JITTER = 0.2;
/** Answers to a newcomer keep this distance from the last announcement … */
const HURRY_GAP_MS = 1000;
/** … and spread over this time, or a hundred nodes would answer it at the same moment. */
const HURRY_SPREAD_MS = 250;

/** When to announce: a burst, then an interval with jitter, sooner once when somebody new was heard. Times are monotonic ms. */
export class AnnounceSchedule {
  readonly #intervalMs: number;
  readonly #random: Random;
  #startedAt = 0;
  #burstLeft = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #nextAt = 0;

  constructor(intervalMs: number, random: Random) {
    this.#intervalMs = intervalMs;
    this.#random = random;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  /** Begins the burst, anew if it has been before. */
  start(nowMs: number): void {
    this.#startedAt = nowMs;
    this.#burstLeft = BURST_AT_MS.length;
    this.#nextAt = nowMs;
  }

  /** To be called when an announcement was made. */
  announced(nowMs: number): void {
    this.#lastAt = nowMs;
    this.#burstLeft = Math.max(0, this.#burstLeft - 1);
    const jitter = 1 + JITTER * (2 * this.#random.next() - 1);
    this.#nextAt =
      this.#burstLeft > 0
        ? this.#startedAt + BURST_AT_MS[BURST_AT_MS.length - this.#burstLeft]!
        : nowMs + this.#intervalMs * jitter;
  }

  /** Somebody new was heard, who should hear of us. Never an answer to a sender: the announcement goes to all. */
  hurry(nowMs: number): void {
    const soon = nowMs + this.#random.next() * HURRY_SPREAD_MS;
    this.#nextAt = Math.min(this.#nextAt, Math.max(soon, this.#lastAt + HURRY_GAP_MS));
  }
}
