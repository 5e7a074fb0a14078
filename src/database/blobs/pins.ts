import type { DocumentKey } from '../../core/ids/index.ts';

/**
 * Documents that a put under way relies on. They are not collected during the put, nor by a collection that started during
 * it: that collection may have listed the blobs before the new one was complete.
 */
export class Pins {
  readonly #keys = new Set<DocumentKey>();
  #users = 0;

  add(key: DocumentKey): void {
    this.#keys.add(key);
  }

  has(key: DocumentKey): boolean {
    return this.#keys.has(key);
  }

  /** The keys stay pinned until no put or collection runs any more. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      if (--this.#users === 0) this.#keys.clear();
    }
  }
}
