import type { CollectionName } from '../../core/ids/index.ts';
import { compareBySort, isAfter, type JsonObject, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import type { DocumentHost } from '../document-host.ts';
import { after, type Eventually } from '../eventually.ts';
import { type DocumentCodec, documentInvalid } from '../schema/index.ts';
import { freezeDeep } from './freeze.ts';

/** How a program sees the documents of a collection that it described: in their newest shape, as its schema gives them. */
export interface LiveShape {
  /** Documents of a query in its order, as they are stored; its filter and sort look at the newest shape. */
  find(query: Query): FoundDocument[];
  /** The same, beside the event loop where it takes long, but for documents of older versions. */
  findAside(query: Query, signal: AbortSignal): Eventually<FoundDocument[]>;
  /** In the newest shape; one whose migration fails, as it is stored. */
  open(text: string): JsonObject;
  /** What readers get, frozen; undefined: it does not fit, and is left out. */
  show(key: string, text: string): JsonObject | undefined;
  /** The same, but throws DOCUMENT_INVALID for one that does not fit. */
  require(key: string, text: string): JsonObject;
}

type ShapeHost = Pick<DocumentHost, 'find' | 'findAside' | 'lookForOlder' | 'hasOlder'>;

const EVERYTHING: Query = { filter: { kind: 'all' }, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };

/** The shape that a codec gives. A validator that waits for something is refused with a TypeError when a document meets it. */
export class CodecShape implements LiveShape {
  readonly #host: ShapeHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;

  constructor(host: ShapeHost, collection: CollectionName, codec: DocumentCodec) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
  }

  /** While there are documents of older versions, which the store cannot look into, it reads all of the collection. */
  find(query: Query): FoundDocument[] {
    if (!this.#host.hasOlder(this.#collection, this.#codec.version)) return this.#host.find(this.#collection, query);
    const { filter, sort, skip, limit, after: place } = query;
    return this.#host
      .find(this.#collection, EVERYTHING)
      .map(({ key, value }) => ({ key, text: value, value: this.open(value) }))
      .filter((document) => matches(filter, document.value) && (place === undefined || isAfter(sort, document, place)))
      .sort(compareBySort(sort))
      .slice(skip, skip + limit)
      .map(({ key, text }) => ({ key, value: text }));
  }

  findAside(query: Query, signal: AbortSignal): Eventually<FoundDocument[]> {
    const { version } = this.#codec;
    return after(this.#host.lookForOlder(this.#collection, version, signal), () =>
      this.#host.hasOlder(this.#collection, version)
        ? this.find(query)
        : this.#host.findAside(this.#collection, query, signal),
    );
  }

  open(text: string): JsonObject {
    try {
      return this.#codec.open(text).document;
    } catch {
      return JSON.parse(text);
    }
  }

  show(key: string, text: string): JsonObject | undefined {
    const decoded = this.#decode(key, text);
    return decoded.kind === 'fits' ? freezeDeep(decoded.value as JsonObject) : undefined;
  }

  require(key: string, text: string): JsonObject {
    const decoded = this.#decode(key, text);
    if (decoded.kind === 'invalid') throw documentInvalid(this.#collection, key, decoded.issues, 'stored');
    return freezeDeep(decoded.value as JsonObject);
  }

  #decode(key: string, text: string): Exclude<ReturnType<DocumentCodec['decode']>, Promise<unknown>> {
    const decoded = this.#codec.decode(key, text);
    if (!(decoded instanceof Promise)) return decoded;
    // It is not wanted any more, however it ends.
    decoded.catch(() => {});
    throw new TypeError(
      `the schema of collection ${JSON.stringify(this.#collection)} validates asynchronously; live queries need one that answers at once`,
    );
  }
}
