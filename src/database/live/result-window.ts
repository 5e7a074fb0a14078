import type { SortableDocument } from '../../core/query/index.ts';

interface Sized extends SortableDocument {
  readonly characters: number;
}

/**
 * The first documents of an ordered result, kept in order. What comes after the last of them is unknown, unless the window is
 * whole. So a removal makes it shorter, never wrong.
 */
export class ResultWindow<E extends Sized> {
  readonly #compare: (a: SortableDocument, b: SortableDocument) => number;
  /** Maximum number of entries; beyond it the last ones are dropped. */
  readonly #entriesMax: number;
  readonly #byKey = new Map<string, E>();
  #entries: E[] = [];
  #isWhole = true;
  #characters = 0;

  constructor(compare: (a: SortableDocument, b: SortableDocument) => number, entriesMax: number) {
    this.#compare = compare;
    this.#entriesMax = entriesMax;
  }

  /** True if the result has no documents beyond the window. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Characters of all entries. */
  get characters(): number {
    return this.#characters;
  }

  get(key: string): E | undefined {
    return this.#byKey.get(key);
  }

  /** The entries from an index on, in order. */
  *from(place: number): IterableIterator<E> {
    for (let i = place; i < this.#entries.length; i++) yield this.#entries[i]!;
  }

  /** Replaces everything with the start of the result, in order. More than `entriesMax` entries mean that it is not whole. */
  load(entries: readonly E[]): void {
    this.#isWhole = entries.length <= this.#entriesMax;
    this.#entries = entries.slice(0, this.#entriesMax);
    this.#byKey.clear();
    this.#characters = 0;
    for (const entry of this.#entries) this.#keep(entry);
  }

  remove(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#forget(entry);
    this.#entries.splice(this.#placeOf(entry), 1);
  }

  /** Adds or replaces an entry that belongs to the result. */
  put(entry: E): void {
    this.remove(entry.key);
    const place = this.#placeOf(entry);
    // It sorts after the last entry, and other unknown documents may come before it.
    if (place === this.#entries.length && !this.#isWhole) return;
    this.#entries.splice(place, 0, entry);
    this.#keep(entry);
    if (this.#entries.length <= this.#entriesMax) return;
    this.#forget(this.#entries.pop()!);
    this.#isWhole = false;
  }

  #keep(entry: E): void {
    this.#byKey.set(entry.key, entry);
    this.#characters += entry.characters;
  }

  #forget({ key, characters }: E): void {
    this.#byKey.delete(key);
    this.#characters -= characters;
  }

  /** Index of the entry, or where it would be inserted. */
  #placeOf(entry: E): number {
    let low = 0;
    for (let high = this.#entries.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#entries[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
