import { DocumentNotFoundError } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import { guardMethods, type OptionNames, rejecting, throwing } from '../core/options/index.ts';
import { type JsonObject, parseFilter, parseQuery, type QueryOptions } from '../core/query/index.ts';
import type { TransactionCollection } from './api.ts';
import type { Document, ReadOptions, ScanOptions, Versioned, WaitOptions, WriteOptions } from './document-api.ts';
import type { DocumentHost } from './document-host.ts';
import { DocumentReader } from './document-reader.ts';
import { DocumentWriter } from './document-writer.ts';
import { READ, SCAN, WAIT, WRITE } from './option-names.ts';
import type { FindOptions, PageOptions } from './query/index.ts';
import { versionToken } from './replica/index.ts';
import type { CountablePath, DocumentCodec, Filter, Patch } from './schema/index.ts';

/** The part of a collection that works both in a database and within a transaction. */
export class DocumentCollection<T extends object = Document, Input extends object = T>
  implements TransactionCollection<T, Input>
{
  readonly name: CollectionName;
  /** Validates and converts documents for this handle. */
  readonly codec: DocumentCodec;
  protected readonly host: DocumentHost;
  protected readonly reader: DocumentReader<T>;
  readonly #writer: DocumentWriter;

  constructor(host: DocumentHost, name: CollectionName, codec: DocumentCodec) {
    this.name = name;
    this.codec = codec;
    this.host = host;
    this.reader = new DocumentReader(host, name, codec);
    this.#writer = new DocumentWriter(host, name, codec);
  }

  /** Whether it reads and writes through this database or transaction. */
  isOf(host: DocumentHost): boolean {
    return this.host === host;
  }

  put(key: string, value: Input, options?: WriteOptions): Promise<void> {
    return this.#writer.put(key, value, options);
  }

  add(value: Input, options?: WaitOptions): Promise<string> {
    return this.#writer.add(value, options);
  }

  async get(key: string, options?: ReadOptions): Promise<T | undefined> {
    return this.reader.readInTurn(this.reader.row(key, options), options);
  }

  async getVersioned(key: string, options?: ReadOptions): Promise<Versioned<T> | undefined> {
    const row = this.reader.row(key, options);
    const version = versionToken(row);
    if (version === undefined) return undefined;
    return { key, value: (await this.reader.readInTurn(row, options))!, version };
  }

  async require(key: string, options?: ReadOptions): Promise<T> {
    const value = await this.reader.readInTurn(this.reader.row(key, options), options);
    if (value !== undefined) return value;
    this.host.logger.warn({ collection: this.name, key }, 'a document that is required does not exist');
    throw new DocumentNotFoundError(this.name, key);
  }

  async update(key: string, change: Patch<Input> | ((document: T) => Input), options?: WriteOptions): Promise<T> {
    const value =
      typeof change === 'function'
        ? await this.#writer.modify(key, (row) => this.reader.read(row), change as (d: unknown) => unknown, options)
        : await this.#writer.patch(key, change as JsonObject, options);
    const decoded = await this.codec.decode(key, value);
    return decoded.value as T;
  }

  increment(key: string, path: CountablePath<Input>, by = 1, options?: WriteOptions): Promise<number> {
    return this.#writer.increment(key, path, by, options);
  }

  delete(key: string, options?: WriteOptions): Promise<boolean> {
    return this.#writer.delete(key, options);
  }

  putMany(
    documents: Iterable<readonly [key: string, value: Input, options?: Pick<WriteOptions, 'ifVersion'>]>,
    options?: WaitOptions,
  ): Promise<void> {
    return this.#writer.putMany(documents, options);
  }

  deleteMany(keys: Iterable<string>, options?: WaitOptions): Promise<number> {
    return this.#writer.deleteMany(keys, options);
  }

  async *keys(options?: ScanOptions): AsyncGenerator<string> {
    for await (const row of this.reader.rows(options)) yield row.key;
  }

  entries(options?: ScanOptions & ReadOptions): AsyncGenerator<[key: string, value: T]> {
    return this.reader.entries(options);
  }

  async count(filter?: Filter<Input>, options?: WaitOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    return this.reader.count(parseFilter(filter), options?.signal);
  }

  async find(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<T[]> {
    return this.reader.find(parseQuery(filter, options as QueryOptions), options, (value) => value);
  }

  async findEntries(
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions,
  ): Promise<[key: string, value: T][]> {
    return this.reader.find(parseQuery(filter, options as QueryOptions), options, (value, key) => [key, value]);
  }
}

/** Each method that answers a query takes all of them, so that one object serves a query and its explanation. */
export const FIND: OptionNames<FindOptions & PageOptions & ReadOptions> = {
  sort: true,
  skip: true,
  limit: true,
  after: true,
  ...READ,
};

guardMethods(DocumentCollection.prototype, {
  put: rejecting(2, WRITE),
  add: rejecting(1, WAIT),
  get: rejecting(1, READ),
  getVersioned: rejecting(1, READ),
  require: rejecting(1, READ),
  update: rejecting(2, WRITE),
  increment: rejecting(3, WRITE),
  delete: rejecting(1, WRITE),
  putMany: rejecting(1, WAIT),
  deleteMany: rejecting(1, WAIT),
  keys: throwing(0, SCAN),
  entries: throwing(0, { ...SCAN, ...READ }),
  count: rejecting(1, WAIT),
  find: rejecting(1, FIND),
  findEntries: rejecting(1, FIND),
});
