import type { CollectionName } from '../../core/ids/index.ts';
import {
  type JsonValue,
  type Path,
  pageToken,
  parseQuery,
  type Query,
  type QueryOptions,
  toPath,
} from '../../core/query/index.ts';
import type { FoundDocument, QueryPlan } from '../../store/index.ts';
import type { Document, ReadOptions, WaitOptions } from '../document-api.ts';
import type { DocumentHost } from '../document-host.ts';
import type { DocumentReader } from '../document-reader.ts';
import type { DocumentCodec } from '../schema/index.ts';
import { Groups, parseAggregates, Values } from './aggregate.ts';
import { project } from './project.ts';
import type { Aggregate, FindOptions, Group, Page } from './query-api.ts';

/** Documents that `distinct` and `groupBy` read at a time. */
const PAGE_DOCUMENTS_MAX = 500;

/** Default limit of a page. */
const PAGE_LIMIT_DEFAULT = 100;

export interface QueriesHost extends DocumentHost {
  explain(collection: CollectionName, query: Query): QueryPlan;
  /** Yields to the event loop. */
  turn(): Promise<void>;
}

export interface PageOptions {
  /** The `next` of the page before, with the same sort. Default: the first page. Throws INVALID_FILTER if it does not fit. */
  readonly after?: string;
}

export type QueryArguments = (FindOptions & ReadOptions & PageOptions) | undefined;

/** The queries of one collection other than `find`, with documents decoded by its codec. */
export class CollectionQueries<T extends object> {
  readonly #host: QueriesHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;
  readonly #reader: DocumentReader<T>;

  constructor(host: QueriesHost, collection: CollectionName, codec: DocumentCodec, reader: DocumentReader<T>) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
    this.#reader = reader;
  }

  /** `next` names the last document that was read, whether it fits the schema or not. */
  async page(filter: unknown, options: QueryArguments): Promise<Page<T>> {
    options?.signal?.throwIfAborted();
    const limit = options?.limit ?? PAGE_LIMIT_DEFAULT;
    const asked = { ...(options as QueryOptions), limit };
    const entries: [key: string, value: T][] = [];
    let last: FoundDocument | undefined;
    for (
      let query = parseQuery(filter, asked);
      ;
      query = { ...query, skip: 0, after: this.#reader.placeOf(query, last!) }
    ) {
      // One more than needed, to know whether there is a next page.
      const count = limit - entries.length + 1;
      const rows = await this.#reader.stored({ ...query, limit: count }, options?.signal);
      for (const row of rows) {
        if (entries.length >= limit) return { entries, next: last === undefined ? null : this.#tokenOf(query, last) };
        const decoded = await this.#codec.decode(row.key, row.value);
        if (decoded.kind === 'fits' || options?.includeInvalid === true) entries.push([row.key, decoded.value as T]);
        last = row;
      }
      if (rows.length < count) return { entries, next: null };
    }
  }

  async fields(
    find: () => Promise<[key: string, value: T][]>,
    fields: readonly string[],
  ): Promise<[key: string, value: Document][]> {
    const paths = pathsOf(fields);
    return (await find()).map(([key, value]) => [key, project(value, paths)]);
  }

  async explain(filter: unknown, options: FindOptions | undefined): Promise<QueryPlan> {
    return this.#host.explain(this.#collection, parseQuery(filter, options as QueryOptions));
  }

  async distinct(path: string, filter: unknown, options: WaitOptions | undefined): Promise<JsonValue[]> {
    const values = new Values(toPath(path), this.#host.limits);
    await this.#eachStored(filter, options, (document) => values.add(document));
    return values.result();
  }

  async groupBy(
    by: string | readonly string[],
    aggregates: Readonly<Record<string, Aggregate>>,
    filter: unknown,
    options: WaitOptions | undefined,
  ): Promise<Group[]> {
    const paths = pathsOf(typeof by === 'string' ? [by] : by);
    const groups = new Groups(paths, parseAggregates(aggregates), this.#host.limits);
    await this.#eachStored(filter, options, (document) => groups.add(document));
    return groups.result();
  }

  /** Visits stored documents in their newest version, without validation, and yields to the event loop after each page. */
  async #eachStored(
    filter: unknown,
    options: WaitOptions | undefined,
    visit: (document: JsonValue) => void,
  ): Promise<void> {
    const base = parseQuery(filter, { limit: PAGE_DOCUMENTS_MAX });
    for (let query = base; ; ) {
      options?.signal?.throwIfAborted();
      const rows = await this.#reader.stored(query, options?.signal);
      for (const { value } of rows) visit(this.#codec.newest(value));
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_DOCUMENTS_MAX) return;
      query = { ...base, after: { values: [], key: last.key } };
      await this.#host.turn();
    }
  }

  #tokenOf({ sort }: Query, { key, value }: FoundDocument): string {
    return pageToken(sort, key, this.#codec.newest(value));
  }
}

function pathsOf(fields: readonly string[]): Path[] {
  if (!Array.isArray(fields)) throw new TypeError('the fields are an array of paths, like ["name", "address.city"]');
  return fields.map(toPath);
}
