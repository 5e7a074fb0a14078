/**
 * A map that can be read in order of its keys. Keys that arrive in order need no sorting; others stay unsorted until the
 * next read in order. Removed keys are skipped, and cleaned up once they are more than half of the list.
 */
export class SortedMap<K, V> {
  readonly #compare: (a: K, b: K) => number;
  readonly #values = new Map<K, V>();
  #keys: K[] = [];
  #unsorted: K[] = [];

  constructor(compare: (a: K, b: K) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  /** Sets a value; undefined removes the key. */
  set(key: K, value: V | undefined): void {
    if (value === undefined) {
      this.#values.delete(key);
      return;
    }
    if (!this.#values.has(key)) this.#addKey(key);
    this.#values.set(key, value);
  }

  clone(): SortedMap<K, V> {
    const copy = new SortedMap<K, V>(this.#compare);
    this.forEachAfter(null, (value, key) => {
      copy.set(key, value);
    });
    return copy;
  }

  /** Visits entries in order of keys, after `after` (null: from the first), until `visit` returns false. */
  forEachAfter(after: K | null, visit: (value: V, key: K) => unknown): void {
    this.#sort();
    for (let i = after === null ? 0 : this.#indexAfter(after); i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      const value = this.#values.get(key);
      if (value !== undefined && visit(value, key) === false) return;
    }
  }

  /** At most `limit` values in order of keys, after `after`. */
  valuesAfter(after: K | null, limit: number): V[] {
    const found: V[] = [];
    if (limit <= 0) return found;
    this.forEachAfter(after, (value) => found.push(value) < limit);
    return found;
  }

  /** The smallest key, or undefined. */
  firstKey(): K | undefined {
    let first: K | undefined;
    this.forEachAfter(null, (_, key) => {
      first = key;
      return false;
    });
    return first;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  #addKey(key: K): void {
    const last = this.#keys.at(-1);
    if (this.#unsorted.length === 0 && (last === undefined || this.#compare(last, key) < 0)) this.#keys.push(key);
    else this.#unsorted.push(key);
  }

  #sort(): void {
    const isSparse = this.#keys.length > 16 && this.#keys.length > 2 * this.#values.size;
    if (this.#unsorted.length === 0 && !isSparse) return;
    // A key that was removed and set again may be in the list twice. Both lists are sorted, so the sort only merges them.
    const all = this.#keys.concat(this.#unsorted.sort(this.#compare)).sort(this.#compare);
    this.#keys = all.filter((key, i) => this.#values.has(key) && (i === 0 || this.#compare(all[i - 1]!, key) !== 0));
    this.#unsorted = [];
  }

  #indexAfter(key: K): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#keys[middle]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
