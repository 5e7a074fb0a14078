import { isEntglDbError } from '../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';

/** R11: tells of rows that cannot be read. The read fails with the same error; the repair is up to the receiver. */
export class DamageReports {
  readonly #logger: Logger;
  readonly #onDamage: (collection: CollectionName, key: DocumentKey, error: unknown) => void;

  constructor(logger: Logger, onDamage: (collection: CollectionName, key: DocumentKey, error: unknown) => void) {
    this.#logger = logger;
    this.#onDamage = onDamage;
  }

  /** Runs a read, which may go on after the call. */
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
    if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) return;
    const { collection, key } = error.details;
    this.#logger.error({ collection, key, err: error }, 'a document is damaged on disk');
    try {
      this.#onDamage(collection as CollectionName, key as DocumentKey, error);
    } catch (cause) {
      // The read has failed already, and says why; what a receiver does about it must not hide that.
      this.#logger.error({ err: cause }, 'the receiver of a damage report failed');
    }
  }
}
