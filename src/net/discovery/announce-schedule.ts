import type { Random } from '../../core/ids/index.ts';

/** After a start or a network change: immediately, then again soon, because datagrams may be lost. */
const BURST_AT_MS = [0, 500, 1000, 2000] as const;
/** Jitter as a fraction of the interval, so that the announcements of many nodes spread out. */
const JITTER = 0.2;
/** After hearing a newcomer, a node announces no sooner than this after its last announcement … */
const HURRY_GAP_MS = 1000;
/** … and at a random moment within this time, or a hundred nodes would announce simultaneously. */
const HURRY_SPREAD_MS = 250;

/** When to announce: a burst first, then at intervals with jitter; sooner when a new node was heard. Times are monotonic ms. */
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

  /** Starts the burst, or restarts it. */
  start(nowMs: number): void {
    this.#startedAt = nowMs;
    this.#burstLeft = BURST_AT_MS.length;
    this.#nextAt = nowMs;
  }

  /** Call after each announcement. */
  announced(nowMs: number): void {
    this.#lastAt = nowMs;
    this.#burstLeft = Math.max(0, this.#burstLeft - 1);
    const jitter = 1 + JITTER * (2 * this.#random.next() - 1);
    this.#nextAt =
      this.#burstLeft > 0
        ? this.#startedAt + BURST_AT_MS[BURST_AT_MS.length - this.#burstLeft]!
        : nowMs + this.#intervalMs * jitter;
  }

  /** A new node was heard and should hear of us soon. This is not a reply to its sender: the announcement goes to everybody. */
  hurry(nowMs: number): void {
    const soon = nowMs + this.#random.next() * HURRY_SPREAD_MS;
    this.#nextAt = Math.min(this.#nextAt, Math.max(soon, this.#lastAt + HURRY_GAP_MS));
  }
}
