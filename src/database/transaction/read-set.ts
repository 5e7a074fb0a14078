import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { CommitNotice } from '../replica/index.ts';

/** A document, or a whole collection if `key` is undefined. */
export interface Place {
  readonly collection: CollectionName;
  readonly key: DocumentKey | undefined;
}

/**
 * What a transaction has read, to find out whether a commit changes any of it: single documents, and whole collections after
 * a query, since a query also depends on documents that do not exist. Beyond `transactionReadsMax` documents, each further
 * one counts as its whole collection.
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

  /** The first document changed by a commit that is in this set; undefined if there is none. */
  touchedBy({ changed, removed }: Pick<CommitNotice, 'changed' | 'removed'>): Place | undefined {
    for (const list of [changed, removed])
      for (const { collection, key } of list)
        if (this.#wholes.has(collection) || this.#keys.get(collection)?.has(key) === true) return { collection, key };
    return undefined;
  }
}
