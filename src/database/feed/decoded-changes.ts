import type { Change } from '../api.ts';
import type { Document } from '../document-api.ts';
import type { DocumentCodec } from '../schema/index.ts';

type Changes<T> = AsyncIterableIterator<Change<T>, undefined>;

/**
 * The changes of a collection with decoded documents. A document that does not decode, or on which the schema throws, becomes an
 * `invalid` change. Any other error ends the watcher, since `for await` does not return it then.
 */
export class DecodedChanges<T> implements AsyncIterableIterator<Change<T>, undefined> {
  readonly #changes: Changes<Document>;
  readonly #codec: DocumentCodec;

  constructor(changes: Changes<Document>, codec: DocumentCodec) {
    this.#changes = changes;
    this.#codec = codec;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Change<T>, undefined>> {
    const result = await this.#changes.next();
    if (result.done === true) return result;
    try {
      return { done: false, value: await this.#decoded(result.value) };
    } catch (error) {
      return this.throw(error);
    }
  }

  async return(): Promise<IteratorResult<Change<T>, undefined>> {
    await this.#changes.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.#changes.return?.();
    throw error;
  }

  async #decoded(change: Change<Document>): Promise<Change<T>> {
    if (change.kind !== 'put') return change;
    const { key, value, resume, origin } = change;
    const decoded = await this.#codec.decode(key, JSON.stringify(value));
    if (decoded.kind === 'invalid') return { kind: 'invalid', key, issues: decoded.issues, resume, origin };
    return { kind: 'put', key, value: decoded.value as T, resume, origin };
  }
}
