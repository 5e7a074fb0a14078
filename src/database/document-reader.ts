import type { CollectionName } from '../core/ids/index.ts';
import { parseDocumentKey } from '../core/ids/index.ts';
import { compareBySort, type Filter, isAfter, type JsonObject, type Query, toPredicate } from '../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../store/index.ts';
import type { ReadOptions, ScanOptions, WaitOptions } from './document-api.ts';
import type { DocumentHost } from './document-host.ts';
import { notOlderThan, olderThan } from './evolution/index.ts';
import {
  after,
  type Decoded,
  type DocumentCodec,
  documentInvalid,
  type Eventually,
  type InvalidDocument,
} from './schema/index.ts';

/** Found documents read at least at a time, where some of them do not fit and others must take their place. */
const REFILL_MIN = 100;

/** Reads of one collection, in the form that its codec gives documents. */
export class DocumentReader<T> {
  readonly #host: DocumentHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;

  constructor(host: DocumentHost, collection: CollectionName, codec: DocumentCodec) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
  }

  /** The stored document, as it is. */
  row(key: string, options: WaitOptions | undefined): StoredDocument | undefined {
    options?.signal?.throwIfAborted();
    return this.#host.read(this.#collection, parseDocumentKey(key));
  }

  /** As `read`, once other work has had its turn. */
  readInTurn(row: StoredDocument | undefined, options: ReadOptions | undefined): Eventually<T | undefined> {
    const pause = this.#host.loopShare.pauseOfMany();
    return pause === undefined ? this.read(row, options) : pause.then(() => this.read(row, options));
  }

  /** What readers see of a row; undefined where there is no document. Throws DOCUMENT_INVALID. */
  read(row: StoredDocument | undefined, options?: ReadOptions): Eventually<T | undefined> {
    if (row === undefined || row.value === null) return undefined;
    return after(this.#codec.decode(row.key, row.value), (decoded) => {
      if (!isShown(decoded, options)) throw this.#misfit(row.key, decoded);
      return decoded.value as T;
    });
  }

  /** Documents of a query. Those that do not fit are left out, and do not count for its limit; they do for its skip. */
  async find(query: Query, options: ReadOptions | undefined): Promise<[key: string, value: T][]> {
    options?.signal?.throwIfAborted();
    const pause = this.#host.loopShare.pause();
    if (pause !== undefined) await pause;
    const found: [key: string, value: T][] = [];
    for (let { skip, limit } = query; ; ) {
      const rows = this.stored({ ...query, skip, limit });
      for (const { key, value } of rows) {
        const decoding = this.#codec.decode(key, value);
        const decoded = decoding instanceof Promise ? await decoding : decoding;
        if (isShown(decoded, options) && found.length < query.limit) found.push([key, decoded.value as T]);
      }
      if (rows.length < limit || found.length === query.limit) return found;
      skip += rows.length;
      limit = Math.max(query.limit - found.length, REFILL_MIN);
    }
  }

  /** How many fit the filter, whatever the schema says of them. */
  count(filter: Filter): number {
    const { version } = this.#codec;
    const query = { filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    if (!this.#host.hasOlder(this.#collection, version)) return this.#host.count(this.#collection, query);
    const newer = { ...query, filter: allOf(filter, notOlderThan(version)) };
    return this.#host.count(this.#collection, newer) + this.#older(query).length;
  }

  /**
   * Documents of a query as they are stored. Filter and sort look at the newest shape: documents of older versions, which the
   * store cannot look into, are held against them here.
   */
  stored(query: Query): FoundDocument[] {
    const { version } = this.#codec;
    if (!this.#host.hasOlder(this.#collection, version)) return this.#host.find(this.#collection, query);
    const limit = Number.POSITIVE_INFINITY;
    const newer = { ...query, filter: allOf(query.filter, notOlderThan(version)), skip: 0, limit };
    return [...this.#host.find(this.#collection, newer), ...this.#older(query)]
      .map((row) => ({ row, key: row.key, value: this.newest(row.value) }))
      .sort(compareBySort(query.sort))
      .slice(query.skip, query.skip + query.limit)
      .map(({ row }) => row);
  }

  /** A stored document in the newest shape; one whose migration fails as it is. */
  newest(text: string): JsonObject {
    try {
      return this.#codec.open(text).document;
    } catch {
      return JSON.parse(text);
    }
  }

  #older({ filter, sort, after }: Query): FoundDocument[] {
    const all = { filter: olderThan(this.#codec.version), sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    const fits = toPredicate(filter);
    return this.#host.find(this.#collection, all).filter(({ key, value: text }) => {
      const value = this.newest(text);
      return fits(value) && (after === undefined || isAfter(sort, { key, value }, after));
    });
  }

  #misfit(key: string, decoded: Decoded): Error {
    return documentInvalid(this.#collection, key, decoded.kind === 'invalid' ? decoded.issues : [], 'stored');
  }

  async *entries(options: (ScanOptions & ReadOptions) | undefined): AsyncGenerator<[key: string, value: T]> {
    for await (const { key, value } of this.rows(options)) {
      const decoded = await this.#codec.decode(key, value);
      if (isShown(decoded, options)) yield [key, decoded.value as T];
    }
  }

  async *invalid(options: WaitOptions | undefined): AsyncGenerator<InvalidDocument> {
    for await (const { key, value: text } of this.rows(options)) {
      const decoded = await this.#codec.decode(key, text);
      if (decoded.kind === 'invalid') yield { key, value: decoded.value, issues: decoded.issues };
    }
  }

  /** Documents that readers see, in key order. */
  async *rows({ signal, after }: ScanOptions = {}): AsyncGenerator<FoundDocument> {
    const afterKey = after === undefined ? null : parseDocumentKey(after);
    for await (const page of this.#host.scan(this.#collection, signal, afterKey)) {
      for (const { key, value } of page) {
        if (value !== null) yield { key, value };
        signal?.throwIfAborted();
      }
    }
  }
}

function allOf(...filters: readonly Filter[]): Filter {
  return { kind: 'and', filters };
}

function isShown(decoded: Decoded, options: ReadOptions | undefined): boolean {
  return decoded.kind === 'fits' || options?.includeInvalid === true;
}
