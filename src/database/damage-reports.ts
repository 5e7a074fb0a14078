import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { damagedDocument } from '../store/index.ts';

/** R11: reports rows that cannot be read. The read fails with the same error; repair is up to the receiver. */
export class DamageReports {
  readonly #logger: Logger;
  readonly #onDamage: (collection: CollectionName, key: DocumentKey, error: unknown) => void;

  constructor(logger: Logger, onDamage: (collection: CollectionName, key: DocumentKey, error: unknown) => void) {
    this.#logger = logger;
    this.#onDamage = onDamage;
  }

  /** Runs a read, which may be asynchronous, and reports damage that it meets. */
  of<T>(read: () => T): T {
    try {
      const found = read();
      if (found instanceof Promise) found.catch((error: unknown) => this.report(error));
      return found;
    } catch (error) {
      this.report(error);
      throw error;
    }
  }

  report(error: unknown): void {
    const damaged = damagedDocument(error);
    if (damaged === undefined) return;
    const { collection, key } = damaged;
    this.#logger.error({ collection, key, err: error }, 'a document is damaged on disk');
    try {
      this.#onDamage(collection, key, error);
    } catch (cause) {
      // The read itself fails with the real error. An error of the receiver must not hide that.
      this.#logger.error({ err: cause }, 'the receiver of a damage report failed');
    }
  }
}
