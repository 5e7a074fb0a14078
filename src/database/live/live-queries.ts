import { isDeepStrictEqual } from 'node:util';
import type { Limits } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Filter, JsonObject, Query } from '../../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../../store/index.ts';
import type { Eventually } from '../eventually.ts';
import type { CommitNotice, Replica } from '../replica/index.ts';
import { CollectionFeed } from './collection-feed.ts';
import { CountView } from './count-view.ts';
import { diffResults, isSameEntry } from './diff-results.ts';
import { DocumentView } from './document-view.ts';
import type { LiveCount, LiveDocument, LiveEntry, LiveQuery, LiveUpdate } from './live-api.ts';
import { type LiveCallbacks, LiveHandle } from './live-handle.ts';
import type { LiveShape } from './live-shape.ts';
import { LiveSource } from './live-source.ts';
import type { LiveView } from './live-view.ts';
import { QueryView, type QueryViewDeps } from './query-view.ts';

export interface LiveQueriesDeps {
  readonly replica: Replica;
  readonly limits: Limits;
  readonly logger: Logger;
  /** Makes every accepted write visible in the store. Throws if the database is closed. */
  commitPending(): void;
  find(collection: CollectionName, query: Query): FoundDocument[];
  findAside(collection: CollectionName, query: Query, signal: AbortSignal): Eventually<FoundDocument[]>;
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
}

type Finds = Pick<QueryViewDeps, 'find' | 'findAside'>;

interface Notified {
  notify(): void;
  close(): void;
}

export interface LiveStartOptions {
  readonly signal?: AbortSignal | undefined;
  /** Undefined: documents are read as they are stored. */
  readonly shape?: LiveShape | undefined;
  /** The result that the first update is compared with. */
  readonly previous?: readonly LiveEntry<JsonObject>[] | undefined;
}

/**
 * All live queries of a database. One listener gets the commits; those that are not durable yet wait, by collection, and are
 * then applied to each running view. So a view moves from one durable state to the next, by whole commits.
 */
export class LiveQueries {
  readonly #deps: LiveQueriesDeps;
  readonly #feeds = new Map<CollectionName, CollectionFeed>();
  readonly #running = new Set<Notified>();
  /** Handles to notify in the next microtask. */
  readonly #news = new Set<Notified>();

  constructor(deps: LiveQueriesDeps) {
    this.#deps = deps;
    deps.replica.onCommit((notice) => this.#note(notice));
    deps.replica.onDurable(() => this.#advance());
    deps.replica.onReload(() => this.#startOver());
  }

  /** Number of live queries that have a consumer. */
  get running(): number {
    return this.#running.size;
  }

  query(collection: CollectionName, query: Query, options: LiveStartOptions): LiveQuery {
    const { liveResultsMax: resultsMax, liveResultCharactersMax: charactersMax } = this.#deps.limits;
    const { shape } = options;
    const finds = this.#findsIn(collection, shape);
    const createView = (): QueryView => new QueryView({ query, ...finds, shape, resultsMax, charactersMax });
    // Refuses too large a skip and limit here, and not only when the first consumer comes.
    createView();
    return this.#handle(collection, createView, isSameResult, differenceFrom(options.previous ?? []), options.signal);
  }

  count(collection: CollectionName, filter: Filter, { shape, signal }: LiveStartOptions): LiveCount {
    const { replica, limits } = this.#deps;
    const createView = (): CountView =>
      new CountView({
        filter,
        shape,
        ...this.#findsIn(collection, shape),
        documents: () => replica.collection(collection).documents,
        keysMax: limits.liveCountKeysMax,
      });
    return this.#handle(collection, createView, isDeepStrictEqual, newest, signal);
  }

  document(collection: CollectionName, key: DocumentKey, { shape, signal }: LiveStartOptions): LiveDocument {
    const read = (): string | null => this.#deps.read(collection, key)?.value ?? null;
    const createView = (): DocumentView => new DocumentView({ key, read, shape });
    return this.#handle(collection, createView, isDeepStrictEqual, newest, signal);
  }

  /** Ends all running live queries. */
  close(): void {
    for (const handle of [...this.#running]) handle.close();
  }

  #findsIn(collection: CollectionName, shape: LiveShape | undefined): Finds {
    const deps = this.#deps;
    return {
      find: (query) => shape?.find(query) ?? deps.find(collection, query),
      findAside: (query, signal) => shape?.findAside(query, signal) ?? deps.findAside(collection, query, signal),
    };
  }

  #handle<State, Update>(
    collection: CollectionName,
    createView: () => LiveView<State>,
    isSame: (a: State, b: State) => boolean,
    toUpdate: (before: State | undefined, after: State) => Update | undefined,
    signal: AbortSignal | undefined,
  ): LiveHandle<State, Update> {
    const handle: LiveHandle<State, Update> = new LiveHandle({
      run: (callbacks) => this.#run(collection, createView(), callbacks, handle),
      notifySoon: () => this.#notifySoon(handle),
      toUpdate,
      isSame,
      report: (error, message) => this.#deps.logger.error({ err: error, collection }, message),
      signal,
    });
    return handle;
  }

  #run<State>(
    collection: CollectionName,
    view: LiveView<State>,
    { onState, onFailure }: LiveCallbacks<State>,
    handle: Notified,
  ): () => void {
    const { replica, limits } = this.#deps;
    if (this.#running.size >= limits.liveQueriesMax) throw tooMany(limits.liveQueriesMax);
    this.#deps.commitPending();
    const source = new LiveSource({ replica, view, onState, onFailure, limits });
    source.begin();
    const feed = this.#feeds.get(collection) ?? new CollectionFeed(limits);
    this.#feeds.set(collection, feed);
    this.#running.add(handle);
    const leave = feed.add({ source, onFailure });
    return () => {
      leave();
      source.stop();
      this.#running.delete(handle);
      if (feed.isEmpty && this.#feeds.get(collection) === feed) this.#feeds.delete(collection);
    };
  }

  #note({ pos, changed, removed }: CommitNotice): void {
    if (this.#feeds.size === 0) return;
    const changedIn = Map.groupBy(changed, ({ collection }) => collection);
    const removedIn = Map.groupBy(removed, ({ collection }) => collection);
    for (const collection of new Set([...changedIn.keys(), ...removedIn.keys()])) {
      const { documents } = this.#deps.replica.collection(collection);
      this.#feeds
        .get(collection)
        ?.note(pos, changedIn.get(collection) ?? [], removedIn.get(collection) ?? [], documents);
    }
  }

  #advance(): void {
    for (const feed of [...this.#feeds.values()]) feed.advance(this.#deps.replica.durablePos);
  }

  /** Commits were lost, and their positions will be assigned again, so the waiting commits and all results are invalid. */
  #startOver(): void {
    for (const feed of this.#feeds.values()) feed.invalidate();
    // The replica has not finished its reload yet.
    queueMicrotask(() => this.#advance());
  }

  #notifySoon(handle: Notified): void {
    if (this.#news.size === 0) queueMicrotask(this.#notify);
    this.#news.add(handle);
  }

  readonly #notify = (): void => {
    const handles = [...this.#news];
    this.#news.clear();
    for (const handle of handles) handle.notify();
  };
}

function isSameResult(a: Results, b: Results): boolean {
  return a.length === b.length && a.every((entry, i) => isSameEntry(entry, b[i]!));
}

type Results = readonly LiveEntry<JsonObject>[];

function differenceFrom(
  previous: Results,
): (before: Results | undefined, results: Results) => LiveUpdate<JsonObject> | undefined {
  return (before, results) => {
    const changes = diffResults(before ?? previous, results);
    return before !== undefined && changes.length === 0 ? undefined : { results, changes };
  };
}

/** Undefined if the state is what it was. */
function newest<State>(before: State | undefined, after: State): State | undefined {
  return before !== undefined && isDeepStrictEqual(before, after) ? undefined : after;
}

function tooMany(max: number): PersistenceError {
  return new PersistenceError(
    'LIVE_QUERIES_FULL',
    `${max} live queries run already (Limits.liveQueriesMax); unsubscribe from those that nobody looks at`,
    { details: { liveQueriesMax: max } },
  );
}
