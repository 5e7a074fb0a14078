import { abortable } from '../core/clock/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import { parseDocumentKey } from '../core/ids/index.ts';
import { type Filter, type Query, readPath, type SortPlace, toPredicate } from '../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../store/index.ts';
import type { ReadOptions, ScanOptions, WaitOptions } from './document-api.ts';
import type { DocumentHost } from './document-host.ts';
import { after, type Eventually } from './eventually.ts';
import { EvolvedQuery, notOlderThan, olderThan } from './evolution/index.ts';
import { type Decoded, type DocumentCodec, documentInvalid, type InvalidDocument } from './schema/index.ts';

/** Least number of documents read at a time to replace those that do not fit the schema. */
const REFILL_MIN = 100;

/** Parsing a document of this length takes a notable part of a turn. */
const LARGE_CHARACTERS = 16 * 1024;
/** Number of smaller documents that are parsed between two checks whether the turn should end. */
const SMALL_TOGETHER = 64;

/** Reads documents of one collection and decodes them with its codec. */
export class DocumentReader<T> {
  readonly #host: DocumentHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;

  constructor(host: DocumentHost, collection: CollectionName, codec: DocumentCodec) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
  }

  /** The stored document. */
  row(key: string, options: WaitOptions | undefined): StoredDocument | undefined {
    options?.signal?.throwIfAborted();
    return this.#host.read(this.#collection, parseDocumentKey(key));
  }

  /** As `read`, after giving other work a turn if one is due. */
  readInTurn(row: StoredDocument | undefined, options: ReadOptions | undefined): Eventually<T | undefined> {
    const pause = this.#host.loopShare.pauseOfMany();
    return pause === undefined ? this.read(row, options) : pause.then(() => this.read(row, options));
  }

  /** The decoded document of a row; undefined if there is none. Throws DOCUMENT_INVALID. */
  read(row: StoredDocument | undefined, options?: ReadOptions): Eventually<T | undefined> {
    if (row === undefined || row.value === null) return undefined;
    return after(this.#codec.decode(row.key, row.value, this.#host.cache.documentOf(row)), (decoded) => {
      if (!isShown(decoded, options)) throw this.#misfit(row.key, decoded);
      return decoded.value as T;
    });
  }

  /**
   * The results of `take` for the documents of a query. Documents that do not fit the schema are left out. They do not count
   * towards the query's limit, but they do towards its skip.
   */
  async find<Taken>(
    query: Query,
    options: ReadOptions | undefined,
    take: (value: T, key: string) => Taken,
  ): Promise<Taken[]> {
    const signal = options?.signal;
    signal?.throwIfAborted();
    const pause = this.#host.loopShare.pause();
    if (pause !== undefined) await pause;
    const found: Taken[] = [];
    for (let asked = query; ; ) {
      const finding = this.stored(asked, signal);
      const rows = finding instanceof Promise ? await finding : finding;
      const share = finding instanceof Promise ? this.#host.workShare : this.#host.loopShare;
      let seen = 0;
      for (const { key, value } of rows) {
        const turn = ++seen % SMALL_TOGETHER === 0 || value.length >= LARGE_CHARACTERS ? share.pause() : undefined;
        if (turn !== undefined) await abortable(turn, signal);
        const decoding = this.#codec.decode(key, value);
        const decoded = decoding instanceof Promise ? await decoding : decoding;
        if (isShown(decoded, options) && found.length < query.limit) found.push(take(decoded.value as T, key));
      }
      if (rows.length < asked.limit || found.length === query.limit) return found;
      const limit = Math.max(query.limit - found.length, REFILL_MIN);
      asked = { ...query, skip: 0, limit, after: this.placeOf(query, rows.at(-1)!) };
    }
  }

  /** Number of documents that fit the filter, whether or not they fit the schema. */
  count(filter: Filter, signal?: AbortSignal): Eventually<number> {
    const query = { filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    const counted = (): Eventually<number> =>
      abortableIfLong(this.#host.countAside(this.#collection, query, signal), signal);
    if (filter.kind === 'all') return counted();
    return this.#knowingOlder(signal, (hasOlder) => {
      if (!hasOlder) return counted();
      // Two queries, asked in the same turn so that both see one moment.
      const { version } = this.#codec;
      const newer = { ...query, filter: { kind: 'and', filters: [filter, notOlderThan(version)] } as const };
      const older = this.#host.find(this.#collection, { ...query, filter: olderThan(version) });
      const fits = toPredicate(filter);
      const olderCount = older.filter(({ value }) => fits(this.#codec.newest(value))).length;
      return this.#host.count(this.#collection, newer) + olderCount;
    });
  }

  /** Documents of a query as they are stored. Filter and sort apply to the newest version. */
  stored(query: Query, signal?: AbortSignal): Eventually<FoundDocument[]> {
    const find = (asked: Query): Eventually<FoundDocument[]> =>
      abortableIfLong(this.#host.findAside(this.#collection, asked, signal), signal);
    return this.#knowingOlder(signal, (hasOlder) => {
      if (!hasOlder) return find(query);
      const evolved = new EvolvedQuery(query, this.#codec);
      return after(find(evolved.candidates), (rows) => this.#answer(evolved, rows, signal));
    });
  }

  /** The place of a found document in the order of the query. */
  placeOf({ sort }: Query, { key, value }: FoundDocument): SortPlace {
    const document = this.#codec.newest(value);
    return { values: sort.map(({ path }) => readPath(document, path)), key };
  }

  /** Asks in the same turn in which it is found out whether there are documents of older versions. */
  #knowingOlder<A>(signal: AbortSignal | undefined, ask: (hasOlder: boolean) => Eventually<A>): Eventually<A> {
    const { version } = this.#codec;
    const looking = abortableIfLong(this.#host.lookForOlder(this.#collection, version, signal), signal);
    return after(looking, () => ask(this.#host.hasOlder(this.#collection, version)));
  }

  async #answer(
    evolved: EvolvedQuery,
    rows: readonly FoundDocument[],
    signal: AbortSignal | undefined,
  ): Promise<FoundDocument[]> {
    for (const row of rows) {
      const turn = this.#host.workShare.pause();
      if (turn !== undefined) await abortable(turn, signal);
      evolved.add(row);
    }
    return evolved.answer();
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

/** An aborted signal ends waiting immediately, even if the work has yet to notice. */
function abortableIfLong<A>(value: Eventually<A>, signal: AbortSignal | undefined): Eventually<A> {
  return value instanceof Promise ? abortable(value, signal) : value;
}

function isShown(decoded: Decoded, options: ReadOptions | undefined): boolean {
  return decoded.kind === 'fits' || options?.includeInvalid === true;
}
