import { type CollectionName, compareBytes, type DocumentKey } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import type { Store, StoredDocument } from '../../store/index.ts';
import { readablePage } from './damage.ts';
import type { DraftedChange } from './draft.ts';

/**
 * R11: the sums of a damaged collection counted anew from its rows, slice by slice, while the collection goes on changing:
 * what changes among the keys that were counted already is added and taken off as it is committed.
 */
export class Recount {
  readonly #collection: CollectionName;
  readonly #damaged = new Set<DocumentKey>();
  readonly #sum = new FingerprintSum();
  #documents = 0;
  /** Keys up to here were counted. */
  #after: DocumentKey | null = null;

  constructor(collection: CollectionName) {
    this.#collection = collection;
  }

  get documents(): number {
    return this.#documents;
  }

  get sum(): FingerprintSum {
    return this.#sum;
  }

  /** Keys of rows that turned out to be damaged on the way. */
  get damaged(): readonly DocumentKey[] {
    return [...this.#damaged];
  }

  /** Counts so many rows more; true when these were the last. */
  count(store: Store, limit: number): boolean {
    const page = readablePage(store, this.#collection, this.#after, limit, this.#damaged);
    for (const document of page) this.#add(document);
    this.#after = page.at(-1)?.key ?? this.#after;
    return page.length < limit;
  }

  /** A commit has changed documents. */
  committed(changes: readonly DraftedChange[]): void {
    for (const { collection, key, before, after } of changes) {
      if (collection !== this.#collection || this.#after === null || compareBytes(key, this.#after) > 0) continue;
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#add(after);
    }
  }

  #add({ versions, value }: StoredDocument): void {
    for (const { digest } of versions) this.#sum.add(digest);
    if (value !== null) this.#documents++;
  }

  #remove({ versions, value }: StoredDocument): void {
    for (const { digest } of versions) this.#sum.remove(digest);
    if (value !== null) this.#documents--;
  }
}
