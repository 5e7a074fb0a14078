import type { Limits } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Query } from '../../core/query/index.ts';
import type { FoundDocument, QueryPlan, Store } from '../../store/index.ts';
import type { DamageReports } from '../damage-reports.ts';
import type { Eventually } from '../eventually.ts';
import type { Replica } from '../replica/index.ts';
import { requireAffordable } from './require-affordable.ts';

export interface StoreQueriesHost {
  readonly replica: Replica;
  readonly limits: Limits;
  /** Makes every accepted write visible in the store. Throws if the database is closed. */
  commitPending(): void;
}

/** Queries over documents as they are stored. They include every write accepted before the call. */
export class StoreQueries {
  readonly #host: StoreQueriesHost;
  readonly #damage: DamageReports;

  constructor(host: StoreQueriesHost, damage: DamageReports) {
    this.#host = host;
    this.#damage = damage;
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    return this.#ask(collection, query, (store) => store.find(collection, query));
  }

  findAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<FoundDocument[]> {
    return this.#ask(collection, query, (store) => store.findAside(collection, query, signal));
  }

  count(collection: CollectionName, query: Query): number {
    return (
      this.#countOfAll(collection, query) ?? this.#ask(collection, query, (store) => store.count(collection, query))
    );
  }

  countAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<number> {
    return (
      this.#countOfAll(collection, query) ??
      this.#ask(collection, query, (store) => store.countAside(collection, query, signal))
    );
  }

  explain(collection: CollectionName, query: Query): QueryPlan {
    this.#host.commitPending();
    return this.#host.replica.store.explain(collection, query);
  }

  /** The replica knows the number of documents of each collection. Undefined if there is a filter, or if they are being recounted. */
  #countOfAll(collection: CollectionName, { filter }: Query): number | undefined {
    if (filter.kind !== 'all') return undefined;
    const { replica } = this.#host;
    this.#host.commitPending();
    return replica.damaged.isUncounted(collection) ? undefined : replica.collection(collection).documents;
  }

  #ask<T>(collection: CollectionName, query: Query, answer: (store: Store) => T): T {
    const { replica, limits } = this.#host;
    this.#host.commitPending();
    requireAffordable(replica, limits, collection, query);
    return this.#damage.of(() => answer(replica.store));
  }
}
