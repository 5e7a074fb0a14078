import type { JsonObject } from '../../core/query/index.ts';

/** A document in a live result. It is frozen, and shared by all who look at it: copy it to change it. */
export interface LiveEntry<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * One step from a result to the next. Steps are made in their order, each on what the one before left: `applyLiveChanges`.
 * `moved`: taken out at `from`, then put in at `index`, perhaps with another value.
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

export interface LiveUpdate<T> {
  /** The whole result, in the order of the query. */
  readonly results: readonly LiveEntry<T>[];
  /** How it came from the result before; at first from nothing, or from `previous`. */
  readonly changes: readonly LiveChange<T>[];
}

/**
 * Something of a collection that is kept current while anybody looks: from the first subscriber or iterator to the last.
 * Only what is durable here is shown, a transaction as a whole or not at all; states in between may be left out, the newest
 * never is.
 *
 * What ends it early (a damaged document, LIVE_RESULT_TOO_LARGE, LIVE_QUERIES_FULL) rejects its iterators, is thrown by
 * `getSnapshot`, and goes to `onError`; who subscribes after that begins anew.
 */
export interface Live<State, Update = State> extends AsyncIterable<Update> {
  /** The newest state, the same object until it changes. Undefined: nobody has looked long enough yet. */
  getSnapshot(): State | undefined;
  /**
   * `listener` is called whenever `getSnapshot` has something new, once for all that became durable together, and before the
   * write that brought it resolves. When it has ended with an error, `onError` is called instead, if there is one.
   */
  subscribe(listener: () => void, onError?: (error: unknown) => void): () => void;
  /** Ends it: iterators are done, listeners hear nothing more, the last snapshot stays. Idempotent. */
  close(): void;
}

/** The result of a query. An iterator that is behind gets one difference to the newest result. */
export type LiveQuery<T extends object = JsonObject> = Live<readonly LiveEntry<T>[], LiveUpdate<T>>;

/** How many documents fit. */
export type LiveCount = Live<number>;

/** One document; null: there is none. */
export type LiveDocument<T extends object = JsonObject> = Live<T | null>;
