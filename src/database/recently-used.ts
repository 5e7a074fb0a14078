/** Something that is kept, in a ring with those used just after and just before it. */
interface Kept<Value> {
  readonly space: string;
  readonly key: string;
  value: Value | undefined;
  weight: number;
  newer: Kept<Value>;
  older: Kept<Value>;
}

export interface Bounds {
  /** What everything that is kept may weigh together. */
  readonly weightMax: number;
  /** Default: any number. */
  readonly countMax?: number;
}

/**
 * Values by two names, within bounds; the least recently used goes first. Two names, for to make one text of them, and to hash that,
 * takes longer than all the rest of a look.
 */
export class RecentlyUsed<Value> {
  readonly #spaces = new Map<string, Map<string, Kept<Value>>>();
  /** Where the ring begins and ends: `older` leads to the newest, `newer` to the oldest. */
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

  /** How many made room for others. */
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

  /** What alone is above the bound is not kept, nor is what was there before. */
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

  /** False when there was none. */
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

  /** What no longer fits goes at once. */
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

  /** As the newest. */
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
