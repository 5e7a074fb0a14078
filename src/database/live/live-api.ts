import type { JsonObject } from '../../core/query/index.ts';

/** A document in a live result. It is frozen and shared by all consumers; copy it to change it. */
export interface LiveEntry<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * One step from a result to the next. The steps are applied in their order, each to the result of the one before, as
 * `applyLiveChanges` does. `moved`: removed at `from`, then inserted at `index`, possibly with another value.
 */
export type LiveChange<T> =
  | { readonly kind: 'added'; readonly key: string; readonly value: T; readonly index: number }
  | { readonly kind: 'removed'; readonly key: string; readonly index: number }
  | { readonly kind: 'changed'; readonly key: string; readonly value: T; readonly index: number }
  | {
      readonly kind: 'moved';
      readonly key: string;
      readonly value: T;
      readonly index: number;
      readonly from: number;
    };

/** What an iterator of a live query yields. */
export interface LiveUpdate<T> {
  /** The whole result, in the order of the query. */
  readonly results: readonly LiveEntry<T>[];
  /** The steps from the result before; for the first update, from `previous` or from an empty result. */
  readonly changes: readonly LiveChange<T>[];
}

/**
 * A query result, count or document that is kept current while it has a subscriber or an iterator. It only shows what is
 * durable on this node, and a transaction either whole or not at all. It may skip states, but always shows the newest one.
 *
 * An error that ends it early (a damaged document, DOCUMENT_INVALID for a single document, LIVE_RESULT_TOO_LARGE,
 * LIVE_QUERIES_FULL) rejects its iterators, is passed to `onError`, and is thrown by `getSnapshot` while it has subscribers.
 * The next subscriber or iterator starts it again.
 */
export interface Live<State, Update = State> extends AsyncIterable<Update> {
  /**
   * The newest state, the same object until it changes. Undefined before the first subscriber or iterator has a result.
   * Throws the error that ended it.
   */
  getSnapshot(): State | undefined;
  /**
   * Calls `listener` when `getSnapshot` returns a new state: once for everything that became durable together, and before the
   * promise of the write resolves. If an error ends it, calls `onError` instead, or `listener` if there is no `onError`.
   * Returns a function that unsubscribes.
   */
  subscribe(listener: () => void, onError?: (error: unknown) => void): () => void;
  /**
   * Ends all iterators and unsubscribes all listeners. The last snapshot stays. Idempotent. Aborting the signal does the same,
   * but rejects the iterators with its reason.
   */
  close(): void;
}

/** The result of a query. An iterator that is behind gets one update with the difference to the newest result. */
export type LiveQuery<T extends object = JsonObject> = Live<readonly LiveEntry<T>[], LiveUpdate<T>>;

/** The number of matching documents. */
export type LiveCount = Live<number>;

/** One document; null: there is none. */
export type LiveDocument<T extends object = JsonObject> = Live<T | null>;
