import type { CollectionName } from '../../core/ids/index.ts';
import type { JsonObject, Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import type { DocumentHost } from '../document-host.ts';
import { after, type Eventually } from '../eventually.ts';
import { EvolvedQuery } from '../evolution/index.ts';
import { type DocumentCodec, documentInvalid } from '../schema/index.ts';
import { freezeDeep } from './freeze.ts';

type ShapeHost = Pick<DocumentHost, 'find' | 'findAside' | 'lookForOlder' | 'hasOlder'>;

/**
 * How a program reads the documents of a collection with migrations or a schema: in the newest version, as the schema returns
 * them. Throws a TypeError when an asynchronous validator has to validate a document.
 */
export class LiveShape {
  readonly #host: ShapeHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;

  constructor(host: ShapeHost, collection: CollectionName, codec: DocumentCodec) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
  }

  /** The documents of a query in its order, as they are stored. Filter and sort apply to the newest version. */
  find(query: Query): FoundDocument[] {
    if (!this.#host.hasOlder(this.#collection, this.#codec.version)) return this.#host.find(this.#collection, query);
    const evolved = new EvolvedQuery(query, this.#codec);
    for (const row of this.#host.find(this.#collection, evolved.candidates)) evolved.add(row);
    return evolved.answer();
  }

  /** The same, outside the event loop if it takes long and there are no documents of older versions. */
  findAside(query: Query, signal: AbortSignal): Eventually<FoundDocument[]> {
    const { version } = this.#codec;
    return after(this.#host.lookForOlder(this.#collection, version, signal), () =>
      this.#host.hasOlder(this.#collection, version)
        ? this.find(query)
        : this.#host.findAside(this.#collection, query, signal),
    );
  }

  /** The document in the newest version; as it is stored if its migration fails. */
  open(text: string): JsonObject {
    return this.#codec.newest(text);
  }

  /** What readers get, frozen; undefined: it does not fit the schema and is left out. */
  show(key: string, text: string): JsonObject | undefined {
    const decoded = this.#decode(key, text);
    return decoded.kind === 'fits' ? freezeDeep(decoded.value as JsonObject) : undefined;
  }

  /** The same, but throws DOCUMENT_INVALID if it does not fit. */
  require(key: string, text: string): JsonObject {
    const decoded = this.#decode(key, text);
    if (decoded.kind === 'invalid') throw documentInvalid(this.#collection, key, decoded.issues, 'stored');
    return freezeDeep(decoded.value as JsonObject);
  }

  #decode(key: string, text: string): Exclude<ReturnType<DocumentCodec['decode']>, Promise<unknown>> {
    const decoded = this.#codec.decode(key, text);
    if (!(decoded instanceof Promise)) return decoded;
    // Its outcome does not matter; a rejection must not go unhandled.
    decoded.catch(() => {});
    throw new TypeError(
      `the schema of collection ${JSON.stringify(this.#collection)} validates asynchronously; live queries need one that answers at once`,
    );
  }
}
