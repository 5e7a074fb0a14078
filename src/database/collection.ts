import type { Limits } from '../core/config/index.ts';
import { documentToText } from '../core/document/index.ts';
import { DocumentNotFoundError, PersistenceError } from '../core/errors/index.ts';
import { type CollectionName, type DocumentKey, parseDocumentKey, type ReplicaId } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { parseQuery, type Query, type QueryOptions } from '../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../store/index.ts';
import { abortable } from './abortable.ts';
import type {
  Change,
  Collection,
  Document,
  DocumentVersion,
  FindOptions,
  LiveOptions,
  ScanOptions,
  Versioned,
  WaitOptions,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import { toDocumentVersion } from './history/index.ts';
import type { LiveCount, LiveDocument, LiveEntry, LiveQueries, LiveQuery } from './live/index.ts';
import { type LocalWrite, versionToken } from './replica/index.ts';
import type { Existed } from './writer.ts';

/** What a collection needs of its database; every method throws DATABASE_CLOSED once that is closed. */
export interface CollectionHost {
  readonly limits: Limits;
  readonly logger: Logger;
  /** Writes of this collection, as one transaction. */
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<Existed>;
  /** As readers see it now, with every write made before. */
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  find(collection: CollectionName, query: Query): FoundDocument[];
  count(collection: CollectionName, query: Query): number;
  /** Pages of documents in key order, with a turn of the event loop between them. */
  scan(
    collection: CollectionName,
    signal: AbortSignal | undefined,
    afterKey?: DocumentKey | null,
  ): AsyncIterable<readonly StoredDocument[]>;
  watch<T>(collection: CollectionName, options: WatchOptions): AsyncIterable<Change<T>>;
  readonly live: LiveQueries;
  /** Human name of the node that wrote under this id; null where nobody told it. */
  nodeOf(replica: ReplicaId): string | null;
}

/** A handle, cheap to make and without state of its own. */
export class LocalCollection<T extends object = Document> implements Collection<T> {
  readonly name: CollectionName;
  readonly #host: CollectionHost;

  constructor(host: CollectionHost, name: CollectionName) {
    this.#host = host;
    this.name = name;
  }

  async put(key: string, value: T, options?: WriteOptions): Promise<void> {
    await this.#write([this.#putting(key, value, options)], options);
  }

  async get(key: string, options?: WaitOptions): Promise<T | undefined> {
    const row = this.#read(key, options);
    return row === undefined || row.value === null ? undefined : JSON.parse(row.value);
  }

  async getVersioned(key: string, options?: WaitOptions): Promise<Versioned<T> | undefined> {
    const row = this.#read(key, options);
    if (row === undefined || row.value === null) return undefined;
    return { key, value: JSON.parse(row.value), version: versionToken(row)! };
  }

  async require(key: string, options?: WaitOptions): Promise<T> {
    const row = this.#read(key, options);
    if (row !== undefined && row.value !== null) return JSON.parse(row.value);
    this.#host.logger.warn({ collection: this.name, key }, 'a document that is required does not exist');
    throw new DocumentNotFoundError(this.name, key);
  }

  async delete(key: string, options?: WriteOptions): Promise<boolean> {
    const [existed] = await this.#write([this.#deleting(key, options)], options);
    return existed!;
  }

  async putMany(documents: Iterable<readonly [key: string, value: T]>, options?: WaitOptions): Promise<void> {
    const writes: LocalWrite[] = [];
    let chars = 0;
    for (const [key, value] of documents) {
      const write = this.#putting(key, value, undefined);
      chars += write.value?.length ?? 0;
      // Refused here already, so that an endless iterable ends and a huge one is not collected first.
      this.#checkSize(writes.push(write), chars);
    }
    if (writes.length > 0) await this.#write(writes, options);
  }

  async deleteMany(keys: Iterable<string>, options?: WaitOptions): Promise<number> {
    const writes = new Map<string, LocalWrite>();
    for (const key of keys) {
      writes.set(key, this.#deleting(key, undefined));
      this.#checkSize(writes.size, 0);
    }
    if (writes.size === 0) return 0;
    const existed = await this.#write([...writes.values()], options);
    return existed.filter(Boolean).length;
  }

  async versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]> {
    const row = this.#read(key, options);
    return (row?.versions ?? []).map((version) => toDocumentVersion(version, (replica) => this.#host.nodeOf(replica)));
  }

  async *keys(options?: ScanOptions): AsyncGenerator<string> {
    for await (const row of this.#rows(options)) yield row.key;
  }

  async *entries(options?: ScanOptions): AsyncGenerator<[key: string, value: T]> {
    for await (const { key, value } of this.#rows(options)) yield [key, JSON.parse(value)];
  }

  async count(filter?: object, options?: WaitOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    return this.#host.count(this.name, parseQuery(filter));
  }

  async find(filter?: object, options?: FindOptions & WaitOptions): Promise<T[]> {
    return this.#find(filter, options).map(({ value }) => JSON.parse(value));
  }

  async findEntries(filter?: object, options?: FindOptions & WaitOptions): Promise<[key: string, value: T][]> {
    return this.#find(filter, options).map(({ key, value }) => [key, JSON.parse(value)]);
  }

  watch(options: WatchOptions = {}): AsyncIterable<Change<T>> {
    return this.#host.watch<T>(this.name, options);
  }

  live(filter?: object, options: LiveOptions<T> = {}): LiveQuery<T> {
    const { signal, previous } = options;
    const entries = previous as readonly LiveEntry<Document>[] | undefined;
    const query = parseQuery(filter, options as QueryOptions);
    return this.#host.live.query(this.name, query, { signal, previous: entries }) as unknown as LiveQuery<T>;
  }

  liveCount(filter?: object, options?: WaitOptions): LiveCount {
    return this.#host.live.count(this.name, parseQuery(filter), options?.signal);
  }

  liveDocument(key: string, options?: WaitOptions): LiveDocument<T> {
    return this.#host.live.document(this.name, parseDocumentKey(key), options?.signal) as unknown as LiveDocument<T>;
  }

  #read(key: string, options: WaitOptions | undefined): StoredDocument | undefined {
    options?.signal?.throwIfAborted();
    return this.#host.read(this.name, parseDocumentKey(key));
  }

  /** Documents that readers see, in key order. */
  async *#rows({ signal, after }: ScanOptions = {}): AsyncGenerator<FoundDocument> {
    const afterKey = after === undefined ? null : parseDocumentKey(after);
    for await (const page of this.#host.scan(this.name, signal, afterKey)) {
      for (const { key, value } of page) {
        if (value !== null) yield { key, value };
        signal?.throwIfAborted();
      }
    }
  }

  #find(filter: object | undefined, options: (FindOptions & WaitOptions) | undefined): FoundDocument[] {
    options?.signal?.throwIfAborted();
    return this.#host.find(this.name, parseQuery(filter, options as QueryOptions));
  }

  #putting(key: string, value: T, options: WriteOptions | undefined): LocalWrite {
    const text = documentToText(value, this.#host.limits);
    return { collection: this.name, key: parseDocumentKey(key), value: text, ifVersion: options?.ifVersion };
  }

  #deleting(key: string, options: WriteOptions | undefined): LocalWrite {
    return { collection: this.name, key: parseDocumentKey(key), value: null, ifVersion: options?.ifVersion };
  }

  #write(writes: readonly LocalWrite[], options: WaitOptions | undefined): Promise<Existed> {
    options?.signal?.throwIfAborted();
    return abortable(this.#host.write(this.name, writes), options?.signal);
  }

  #checkSize(documents: number, chars: number): void {
    const { transactionDocumentsMax, transactionBytesMax } = this.#host.limits;
    if (documents > transactionDocumentsMax)
      throw tooLarge('documents', transactionDocumentsMax, 'transactionDocumentsMax');
    if (documents > 1 && chars > transactionBytesMax)
      throw tooLarge('bytes of JSON', transactionBytesMax, 'transactionBytesMax');
  }
}

function tooLarge(what: string, max: number, limit: string): PersistenceError {
  return new PersistenceError(
    'TRANSACTION_TOO_LARGE',
    `a transaction has at most ${max} ${what} (Limits.${limit}); write these in parts`,
    { details: { [limit]: max } },
  );
}
