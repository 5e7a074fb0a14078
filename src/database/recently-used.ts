/** A kept value, in a ring with those used just after and just before it. */
interface Kept<Value> {
  readonly space: string;
  readonly key: string;
  value: Value | undefined;
  weight: number;
  newer: Kept<Value>;
  older: Kept<Value>;
}

export interface Bounds {
  /** Largest total weight. */
  readonly weightMax: number;
  /** Largest number of values. Default: unlimited. */
  readonly countMax?: number;
}

/**
 * Values by two names, within bounds; the least recently used are dropped first. There are two names because joining them
 * into one text, and hashing that, would take longer than the rest of a lookup.
 */
export class RecentlyUsed<Value> {
  readonly #spaces = new Map<string, Map<string, Kept<Value>>>();
  /** Start and end of the ring: `older` leads to the newest value, `newer` to the oldest. */
  readonly #ring: Kept<Value>;
  #weightMax: number;
  readonly #countMax: number;
  #weight = 0;
  #size = 0;
  #evictions = 0;

  constructor({ weightMax, countMax = Number.POSITIVE_INFINITY }: Bounds) {
    this.#weightMax = weightMax;
    this.#countMax = countMax;
    const ring = { space: '', key: '', value: undefined, weight: 0 } as Kept<Value>;
    ring.newer = ring;
    ring.older = ring;
    this.#ring = ring;
  }

  get size(): number {
    return this.#size;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Number of values that were dropped to stay within the bounds. */
  get evictions(): number {
    return this.#evictions;
  }

  get(space: string, key: string): Value | undefined {
    const kept = this.#spaces.get(space)?.get(key);
    if (kept === undefined) return undefined;
    if (this.#ring.older !== kept) {
      unlink(kept);
      this.#link(kept);
    }
    return kept.value;
  }

  /** Keeps a value. One that exceeds the bound by itself is not kept; the former value is dropped all the same. */
  set(space: string, key: string, value: Value, weight: number): void {
    this.delete(space, key);
    if (weight > this.#weightMax) return;
    let keys = this.#spaces.get(space);
    if (keys === undefined) {
      keys = new Map();
      this.#spaces.set(space, keys);
    }
    const kept = { space, key, value, weight } as Kept<Value>;
    keys.set(key, kept);
    this.#link(kept);
    this.#size++;
    this.#weight += weight;
    this.#evict();
  }

  /** False if there was none. */
  delete(space: string, key: string): boolean {
    const kept = this.#spaces.get(space)?.get(key);
    if (kept === undefined) return false;
    this.#remove(kept);
    return true;
  }

  clear(): void {
    this.#spaces.clear();
    this.#ring.older = this.#ring;
    this.#ring.newer = this.#ring;
    this.#size = 0;
    this.#weight = 0;
  }

  /** Changes the bound and immediately drops what no longer fits. */
  resize(weightMax: number): void {
    this.#weightMax = weightMax;
    this.#evict();
  }

  #evict(): void {
    while (this.#weight > this.#weightMax || this.#size > this.#countMax) {
      this.#remove(this.#ring.newer);
      this.#evictions++;
    }
  }

  #remove(kept: Kept<Value>): void {
    unlink(kept);
    const keys = this.#spaces.get(kept.space)!;
    keys.delete(kept.key);
    if (keys.size === 0) this.#spaces.delete(kept.space);
    this.#size--;
    this.#weight -= kept.weight;
  }

  /** Links a value as the newest. */
  #link(kept: Kept<Value>): void {
    const ring = this.#ring;
    kept.newer = ring;
    kept.older = ring.older;
    ring.older.newer = kept;
    ring.older = kept;
  }
}

function unlink({ newer, older }: Kept<unknown>): void {
  newer.older = older;
  older.newer = newer;
}
