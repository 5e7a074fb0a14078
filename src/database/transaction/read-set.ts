import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { CommitNotice } from '../replica/index.ts';

/** A document, or all of a collection where no key is named. */
export interface Place {
  readonly collection: CollectionName;
  readonly key: DocumentKey | undefined;
}

/**
 * What a transaction has read, so that it learns when any of it changes: single documents, and whole collections, of which
 * a query may have seen what is not there. Beyond `transactionReadsMax` documents, their collections count as a whole.
 */
export class ReadSet {
  readonly #documentsMax: number;
  readonly #keys = new Map<CollectionName, Set<DocumentKey>>();
  readonly #wholes = new Set<CollectionName>();
  #documents = 0;

  constructor(documentsMax: number) {
    this.#documentsMax = documentsMax;
  }

  addDocument(collection: CollectionName, key: DocumentKey): void {
    if (this.#wholes.has(collection)) return;
    const keys = this.#keys.get(collection) ?? new Set();
    this.#keys.set(collection, keys);
    if (keys.has(key)) return;
    if (this.#documents >= this.#documentsMax) return this.addCollection(collection);
    keys.add(key);
    this.#documents++;
  }

  addCollection(collection: CollectionName): void {
    this.#wholes.add(collection);
    this.#documents -= this.#keys.get(collection)?.size ?? 0;
    this.#keys.delete(collection);
  }

  /** The first place of a commit that was read before. */
  touchedBy({ changed, removed }: Pick<CommitNotice, 'changed' | 'removed'>): Place | undefined {
    for (const list of [changed, removed])
      for (const { collection, key } of list)
        if (this.#wholes.has(collection) || this.#keys.get(collection)?.has(key) === true) return { collection, key };
    return undefined;
  }
}
