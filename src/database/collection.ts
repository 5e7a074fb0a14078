import { type CollectionName, parseDocumentKey, type ReplicaId } from '../core/ids/index.ts';
import { parseQuery, type QueryOptions } from '../core/query/index.ts';
import type {
  Change,
  Collection,
  Document,
  DocumentVersion,
  InvalidDocument,
  LiveOptions,
  MigrateOptions,
  MigrateProgress,
  WaitOptions,
  WatchOptions,
} from './api.ts';
import { DocumentCollection } from './document-collection.ts';
import type { DocumentHost } from './document-host.ts';
import { migrateCollection } from './evolution/index.ts';
import { toDocumentVersion } from './history/index.ts';
import type { LiveCount, LiveDocument, LiveEntry, LiveQueries, LiveQuery } from './live/index.ts';
import { type Codecs, DecodedChanges, type Filter } from './schema/index.ts';

/** What a collection needs of its database; every method throws DATABASE_CLOSED once that is closed. */
export interface CollectionHost extends DocumentHost {
  watch<T>(collection: CollectionName, options: WatchOptions): AsyncIterableIterator<Change<T>, undefined>;
  readonly live: LiveQueries;
  /** Human name of the node that wrote under this id; null where nobody told it. */
  nodeOf(replica: ReplicaId): string | null;
}

/** A handle, cheap to make and without state of its own. */
export class LocalCollection<T extends object = Document, Input extends object = T>
  extends DocumentCollection<T, Input>
  implements Collection<T, Input>
{
  readonly #host: CollectionHost;

  constructor(host: CollectionHost, name: CollectionName, codecs: Codecs) {
    super(host, name, codecs);
    this.#host = host;
  }

  invalid(options?: WaitOptions): AsyncGenerator<InvalidDocument> {
    return this.reader.invalid(options);
  }

  migrate(options: MigrateOptions = {}): Promise<MigrateProgress> {
    return migrateCollection(this.#host, this.name, this.codecs.writing, options);
  }

  async versions(key: string, options?: WaitOptions): Promise<DocumentVersion[]> {
    const row = this.reader.row(key, options);
    return (row?.versions ?? []).map((version) => toDocumentVersion(version, (replica) => this.#host.nodeOf(replica)));
  }

  watch(options: WatchOptions = {}): AsyncIterable<Change<T>> {
    const { reading } = this.codecs;
    const changes = this.#host.watch<Document>(this.name, options);
    return reading.isPlain ? (changes as AsyncIterable<Change<T>>) : new DecodedChanges<T>(changes, reading);
  }

  live(filter?: Filter<Input>, options: LiveOptions<T> = {}): LiveQuery<T> {
    const { signal, previous } = options;
    const entries = previous as readonly LiveEntry<Document>[] | undefined;
    const query = parseQuery(filter, options as QueryOptions);
    return this.#host.live.query(this.name, query, { signal, previous: entries }) as unknown as LiveQuery<T>;
  }

  liveCount(filter?: Filter<Input>, options?: WaitOptions): LiveCount {
    return this.#host.live.count(this.name, parseQuery(filter), options?.signal);
  }

  liveDocument(key: string, options?: WaitOptions): LiveDocument<T> {
    return this.#host.live.document(this.name, parseDocumentKey(key), options?.signal) as unknown as LiveDocument<T>;
  }
}
