import { abortable, type Clock } from '../core/clock/index.ts';
import { type CollectionName, parseDocumentKey, type ReplicaId } from '../core/ids/index.ts';
import { guardMethods, type OptionNames, rejecting, throwing } from '../core/options/index.ts';
import { type IndexSpec, type JsonValue, parseFilter, parseQuery, type QueryOptions } from '../core/query/index.ts';
import type { QueryPlan } from '../store/index.ts';
import type { Change, Collection, LiveOptions, MigrateOptions, MigrateProgress, WatchOptions } from './api.ts';
import type { Document, DocumentVersion, ReadOptions, WaitOptions } from './document-api.ts';
import { DocumentCollection, FIND } from './document-collection.ts';
import { DecodedChanges } from './feed/index.ts';
import {
  entryAt,
  type HistoryEntry,
  type HistoryLog,
  historyOf,
  type Moment,
  toDocumentVersion,
  type UndoOptions,
  undo,
} from './history/index.ts';
import {
  type LiveCount,
  type LiveDocument,
  type LiveEntry,
  type LiveQueries,
  type LiveQuery,
  LiveShape,
} from './live/index.ts';
import { migrateCollection } from './migrate-collection.ts';
import { WAIT } from './option-names.ts';
import {
  type Aggregate,
  CollectionQueries,
  type EnsureIndexOptions,
  type FieldQuery,
  type FindOptions,
  type FluentQuery,
  fluentQuery,
  type Group,
  type IndexInfo,
  type IndexKeeper,
  type Page,
  type PageOptions,
  type QueriesHost,
} from './query/index.ts';
import type { DocumentCodec, Filter, InvalidDocument, Path, ValueAt } from './schema/index.ts';

/** What a collection needs from its database. Every method throws DATABASE_CLOSED once that is closed. */
export interface CollectionHost extends QueriesHost {
  readonly indexKeeper: IndexKeeper;
  watch<T>(collection: CollectionName, options: WatchOptions): AsyncIterableIterator<Change<T>, undefined>;
  readonly live: LiveQueries;
  readonly clock: Clock;
  readonly history: HistoryLog;
  /** Human name of the node that wrote under this id; null if it is not known. */
  nodeOf(replica: ReplicaId): string | null;
}

/** The public collection: a handle that is cheap to make and has no state of its own. */
export class LocalCollection<T extends object = Document, Input extends object = T>
  extends DocumentCollection<T, Input>
  implements Collection<T, Input>
{
  readonly #host: CollectionHost;
  readonly #queries: CollectionQueries<T>;

  constructor(host: CollectionHost, name: CollectionName, codec: DocumentCodec) {
    super(host, name, codec);
    this.#host = host;
    this.#queries = new CollectionQueries(host, name, codec, this.reader);
  }

  invalid(options?: WaitOptions): AsyncGenerator<InvalidDocument> {
    return this.reader.invalid(options);
  }

  migrate(options: MigrateOptions = {}): Promise<MigrateProgress> {
    return migrateCollection(this.#host, this.name, this.codec, options);
  }

  async versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]> {
    const row = this.reader.row(key, options);
    return (row?.versions ?? []).map((version) => toDocumentVersion(version, (replica) => this.#host.nodeOf(replica)));
  }

  async history(key: string, { signal }: WaitOptions = {}): Promise<HistoryEntry[]> {
    signal?.throwIfAborted();
    return historyOf(this.#host, this.name, parseDocumentKey(key));
  }

  async at(key: string, time: Moment, { signal }: WaitOptions = {}): Promise<Document | undefined> {
    signal?.throwIfAborted();
    return entryAt(this.#host, this.name, parseDocumentKey(key), msOf(time))?.value ?? undefined;
  }

  async undo(key: string, { signal, to }: UndoOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const time = to === undefined ? undefined : msOf(to);
    await abortable(undo(this.#host, this.name, parseDocumentKey(key), time), signal);
  }

  findFields(
    fields: readonly Path<Input>[],
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions,
  ): Promise<[key: string, value: Document][]> {
    return this.#queries.fields(() => this.findEntries(filter, options), fields);
  }

  findPage(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions & PageOptions): Promise<Page<T>> {
    return this.#queries.page(filter, options);
  }

  explain(filter?: Filter<Input>, options?: FindOptions<Input>): Promise<QueryPlan> {
    return this.#queries.explain(filter, options);
  }

  query(): FluentQuery<T, Input> {
    return fluentQuery<T, Input>(this);
  }

  where<P extends Path<Input>>(path: P): FieldQuery<T, Input, ValueAt<Input, P>> {
    return this.query().where(path);
  }

  distinct(path: Path<Input>, filter?: Filter<Input>, options?: WaitOptions): Promise<JsonValue[]> {
    return this.#queries.distinct(path, filter, options);
  }

  groupBy(
    by: Path<Input> | readonly Path<Input>[],
    aggregates: Readonly<Record<string, Aggregate>> = {},
    filter?: Filter<Input>,
    options?: WaitOptions,
  ): Promise<Group[]> {
    return this.#queries.groupBy(by, aggregates, filter, options);
  }

  ensureIndex(index: IndexSpec, options?: EnsureIndexOptions): Promise<IndexInfo> {
    return this.#host.indexKeeper.ensure(this.name, index, options);
  }

  async dropIndex(name: string): Promise<boolean> {
    if (typeof name !== 'string') throw new TypeError('dropIndex takes the name of an index, as `indexes` lists it');
    return this.#host.indexKeeper.drop(this.name, name);
  }

  async indexes(): Promise<IndexInfo[]> {
    return this.#host.indexKeeper.list(this.name);
  }

  watch(options: WatchOptions = {}): AsyncIterable<Change<T>> {
    const changes = this.#host.watch<Document>(this.name, options);
    return this.codec.isPlain ? (changes as AsyncIterable<Change<T>>) : new DecodedChanges<T>(changes, this.codec);
  }

  live(filter?: Filter<Input>, options: LiveOptions<T, Input> = {}): LiveQuery<T> {
    const { signal, previous } = options;
    const entries = previous as readonly LiveEntry<Document>[] | undefined;
    const query = parseQuery(filter, options as QueryOptions);
    const start = { shape: this.#shape(), signal, previous: entries };
    return this.#host.live.query(this.name, query, start) as unknown as LiveQuery<T>;
  }

  liveCount(filter?: Filter<Input>, options?: WaitOptions): LiveCount {
    return this.#host.live.count(this.name, parseFilter(filter), { shape: this.#shape(), signal: options?.signal });
  }

  liveDocument(key: string, options?: WaitOptions): LiveDocument<T> {
    const start = { shape: this.#shape(), signal: options?.signal };
    return this.#host.live.document(this.name, parseDocumentKey(key), start) as unknown as LiveDocument<T>;
  }

  #shape(): LiveShape | undefined {
    return this.codec.isPlain ? undefined : new LiveShape(this.#host, this.name, this.codec);
  }
}

function msOf(time: Moment): number {
  if (typeof time === 'number') return time;
  if (typeof time?.getTime === 'function') return time.getTime();
  throw new TypeError('a time is in milliseconds since 1970, or a Date');
}

const MIGRATE: OptionNames<MigrateOptions> = { onProgress: true, ...WAIT };
const UNDO: OptionNames<UndoOptions> = { to: true, ...WAIT };
const ENSURE_INDEX: OptionNames<EnsureIndexOptions> = { onProgress: true, ...WAIT };
const WATCH: OptionNames<WatchOptions> = { resume: true, ...WAIT };
const { includeInvalid: _, ...LIVE_FIND } = FIND;
const LIVE: OptionNames<LiveOptions<object>> = { ...LIVE_FIND, previous: true };

guardMethods(LocalCollection.prototype, {
  invalid: throwing(0, WAIT),
  migrate: rejecting(0, MIGRATE),
  versions: rejecting(1, WAIT),
  history: rejecting(1, WAIT),
  at: rejecting(2, WAIT),
  undo: rejecting(1, UNDO),
  findFields: rejecting(2, FIND),
  findPage: rejecting(1, FIND),
  explain: rejecting(1, FIND),
  distinct: rejecting(2, WAIT),
  groupBy: rejecting(3, WAIT),
  ensureIndex: rejecting(1, ENSURE_INDEX),
  watch: throwing(0, WATCH),
  live: throwing(1, LIVE),
  liveCount: throwing(1, WAIT),
  liveDocument: throwing(1, WAIT),
});
