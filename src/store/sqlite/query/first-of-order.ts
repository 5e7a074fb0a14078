import { compareBySort, type JsonValue, type Query } from '../../../core/query/index.ts';
import type { FoundDocument } from '../../store.ts';

/** Documents are sorted and cut when there are this many more than twice the wanted number. */
const SPARE_MIN = 1000;

/** Collects the documents that parts of a query find, and keeps those that come first in its order. */
export class FirstOfOrder {
  readonly #asked: Query;
  readonly #wanted: number;
  #found: FoundDocument[] = [];

  constructor(asked: Query) {
    this.#asked = asked;
    this.#wanted = asked.skip + asked.limit;
  }

  /** The query for each part, without a skip: no part knows how many documents others skip. */
  get query(): Query {
    return { ...this.#asked, skip: 0, limit: this.#wanted };
  }

  /** Whether enough is found, provided that each part comes after the one before in the order of the query. */
  get isComplete(): boolean {
    return this.#found.length >= this.#wanted;
  }

  add(found: readonly FoundDocument[]): void {
    this.#found.push(...found);
    if (this.#found.length >= 2 * this.#wanted + SPARE_MIN) this.#found = this.#inOrder().slice(0, this.#wanted);
  }

  result(): FoundDocument[] {
    return this.#inOrder().slice(this.#asked.skip, this.#wanted);
  }

  #inOrder(): FoundDocument[] {
    const compare = compareBySort(this.#asked.sort);
    const parsed = this.#found.map((document) => ({
      document,
      key: document.key,
      value: this.#asked.sort.length === 0 ? null : (JSON.parse(document.value) as JsonValue),
    }));
    return parsed.sort(compare).map(({ document }) => document);
  }
}
