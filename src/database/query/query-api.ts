import type { JsonValue } from '../../core/query/index.ts';
import type { Sort } from '../schema/index.ts';

export interface FindOptions<T = unknown> {
  /** 1 ascending, -1 descending; by several fields in the order given. Ties are broken by key. */
  readonly sort?: Sort<T>;
  /** Default 0. */
  readonly skip?: number;
  /** Default: all. */
  readonly limit?: number;
}

/** An index as this node keeps it. */
export interface IndexInfo {
  /** Unique in its collection; names it for `dropIndex`. */
  readonly name: string;
  /** The paths it is on. */
  readonly on: readonly string[];
  /** `building`: queries do without it. */
  readonly state: 'building' | 'ready';
  /** Share of the documents that are in it, 0 to 1. */
  readonly progress: number;
}

export interface EnsureIndexOptions {
  /** Ends the waiting; the index goes on being built. */
  readonly signal?: AbortSignal;
  /** Told now and then while it is built, 0 to 1. */
  readonly onProgress?: (progress: number) => void;
}

/** A part of an answer, and where it goes on. */
export interface Page<T> {
  readonly entries: readonly [key: string, value: T][];
  /** For `after` of the next page; null: there is none. */
  readonly next: string | null;
}

/** What is made of the documents of a group. Values that are no numbers are left out of `sum` and `avg`. */
export type Aggregate<Path extends string = string> =
  /** 0 where there are none. */
  | { readonly sum: Path }
  /** Null where there are none. */
  | { readonly avg: Path }
  /** In the order of sorting, of values that are neither missing nor null; null where there are none. */
  | { readonly min: Path }
  | { readonly max: Path };

/** Documents that have the same values at the paths of `groupBy`. */
export interface Group {
  /** One for each path; null where documents have nothing there, and where they have null. */
  readonly by: readonly JsonValue[];
  readonly count: number;
  /** By the names that were given to the aggregates. */
  readonly values: Readonly<Record<string, JsonValue>>;
}
