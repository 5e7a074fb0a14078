import type { SortableDocument } from '../../core/query/index.ts';

interface Sized extends SortableDocument {
  readonly characters: number;
}

/**
 * The first documents of an ordered result, kept in order. It is a prefix: what lies beyond its last member is unknown,
 * unless it is whole. So a removal makes it shorter, never wrong.
 */
export class ResultWindow<E extends Sized> {
  readonly #compare: (a: SortableDocument, b: SortableDocument) => number;
  /** Entries kept; what goes beyond is forgotten from the end. */
  readonly #entriesMax: number;
  readonly #byKey = new Map<string, E>();
  #entries: E[] = [];
  #isWhole = true;
  #characters = 0;

  constructor(compare: (a: SortableDocument, b: SortableDocument) => number, entriesMax: number) {
    this.#compare = compare;
    this.#entriesMax = entriesMax;
  }

  /** True while nothing lies beyond. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Of all that is kept. */
  get characters(): number {
    return this.#characters;
  }

  get(key: string): E | undefined {
    return this.#byKey.get(key);
  }

  /** Those from a place on, in order. */
  *from(place: number): IterableIterator<E> {
    for (let i = place; i < this.#entries.length; i++) yield this.#entries[i]!;
  }

  /** Begins anew with what is known to be the start of the result, in order. */
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

  /** An entry that belongs to the result, whether it was there before or not. */
  put(entry: E): void {
    this.remove(entry.key);
    const place = this.#placeOf(entry);
    // Behind the last one known, who knows what comes between.
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

  /** Where the entry is, or would be. */
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
