import { type CollectionName, compareBytes, type DocumentKey } from '../../../core/ids/index.ts';
import { FingerprintSum } from '../../../core/version/index.ts';
import type { Store, StoredDocument } from '../../../store/index.ts';
import type { DraftedChange } from '../draft.ts';
import { readablePage } from './damage.ts';

/**
 * R11: counts the sums of a damaged collection from its rows, slice by slice, while the collection keeps changing: commits to
 * keys that were counted already are added and subtracted.
 */
export class Recount {
  readonly #collection: CollectionName;
  readonly #damaged = new Set<DocumentKey>();
  readonly #sum = new FingerprintSum();
  #documents = 0;
  /** The keys up to this one were counted. */
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

  /** The keys of rows that turned out to be damaged. */
  get damaged(): readonly DocumentKey[] {
    return [...this.#damaged];
  }

  /** Counts the next `limit` rows; true if these were the last. */
  count(store: Store, limit: number): boolean {
    const page = readablePage(store, this.#collection, this.#after, limit, this.#damaged);
    for (const document of page) this.#add(document);
    this.#after = page.at(-1)?.key ?? this.#after;
    return page.length < limit;
  }

  /** Takes note of committed changes. */
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
