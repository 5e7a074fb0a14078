import type { DocumentKey } from '../../core/ids/index.ts';

/**
 * Documents that a blob under way relies on. They are not collected while it is, nor by a collection that began meanwhile,
 * which could have looked before the blob was whole.
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

  /** Keys are kept until nobody works any more. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      if (--this.#users === 0) this.#keys.clear();
    }
  }
}
