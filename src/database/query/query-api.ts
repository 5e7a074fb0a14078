import type { JsonValue } from '../../core/query/index.ts';
import type { Sort } from '../schema/index.ts';

export interface FindOptions<T = unknown> {
  /** Paths to sort by, in their order: 1 ascending, -1 descending. Ties are sorted by key. Default: by key. */
  readonly sort?: Sort<T>;
  /** How many documents to skip. Default 0. */
  readonly skip?: number;
  /** Maximum number of documents. Default: all; 100 for `findPage`. */
  readonly limit?: number;
}

/** An index on this node. */
export interface IndexInfo {
  /** Its name, unique in its collection, as `dropIndex` takes it. */
  readonly name: string;
  /** The indexed paths. */
  readonly on: readonly string[];
  /** `building`: queries do not use it yet. */
  readonly state: 'building' | 'ready';
  /** Share of the documents that it contains, 0 to 1. */
  readonly progress: number;
}

export interface EnsureIndexOptions {
  /** Ends the waiting with its reason. The index is still built. */
  readonly signal?: AbortSignal;
  /** Called now and then with the progress, 0 to 1. */
  readonly onProgress?: (progress: number) => void;
}

/** One page of a query result. */
export interface Page<T> {
  readonly entries: readonly [key: string, value: T][];
  /** The `after` of the next page; null: this is the last page. */
  readonly next: string | null;
}

/** A value computed from the documents of a group. `sum` and `avg` ignore values that are not numbers. */
export type Aggregate<Path extends string = string> =
  /** 0 if there are no numbers. */
  | { readonly sum: Path }
  /** Null if there are no numbers. */
  | { readonly avg: Path }
  /** The first or last value in sort order, ignoring null; null if there is none. */
  | { readonly min: Path }
  | { readonly max: Path };

/** The documents that have the same values at the paths of `groupBy`. */
export interface Group {
  /** The value at each path; null if it is null or missing. */
  readonly by: readonly JsonValue[];
  /** Number of documents. */
  readonly count: number;
  /** The results of the aggregates, by their names. */
  readonly values: Readonly<Record<string, JsonValue>>;
}
