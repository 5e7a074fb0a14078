const SLOTS = 1024;

export interface CheckBudgetOptions {
  /** Checks per second, separately for strangers and for known peers. A whole second's worth may be used at one moment. */
  readonly perSecondMax: number;
  /** The same for each source. */
  readonly perSourceMax: number;
  /** 32 random bits that make it unpredictable which sources share a slot. */
  readonly salt: number;
}

/**
 * Bounds the work that forged beacons can cause: one token bucket per source, in a fixed number of slots, and two shared
 * ones. Known peers draw from a shared bucket of their own, so that a flood from invented addresses cannot silence them.
 */
export class CheckBudget {
  readonly #slots: TokenBucket[];
  readonly #strangers: TokenBucket;
  readonly #known: TokenBucket;
  readonly #salt: number;

  constructor(options: CheckBudgetOptions) {
    this.#slots = Array.from({ length: SLOTS }, () => new TokenBucket(options.perSourceMax));
    this.#strangers = new TokenBucket(options.perSecondMax);
    this.#known = new TokenBucket(options.perSecondMax);
    this.#salt = options.salt;
  }

  /** Whether one more signature of this source may be checked now. */
  take(source: string, isKnown: boolean, nowMs: number): boolean {
    return (
      this.#slots[slotOf(source, this.#salt)]!.take(nowMs) && (isKnown ? this.#known : this.#strangers).take(nowMs)
    );
  }
}

/** FNV-1a: much cheaper than the check that it may avoid. */
function slotOf(source: string, salt: number): number {
  let hash = salt;
  for (let i = 0; i < source.length; i++) hash = Math.imul(hash ^ source.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}

class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  take(nowMs: number): boolean {
    const gained = ((nowMs - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + gained);
    this.#filledAt = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
