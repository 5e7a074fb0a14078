import type { ResolverChoice } from '../../core/merge/index.ts';
import type { IndexSpec } from '../../core/query/index.ts';
import type { Migrations } from '../evolution/index.ts';
import type { HistoryOptions } from '../history/index.ts';
import type { StandardSchema } from './standard-schema.ts';

/**
 * What a program knows of a collection. It belongs to the open database, not to its file: define the collection again after
 * each opening, before anything else is done with it, and keep the handle: a schema that is made anew for each call is
 * looked at each time. Defining it twice with other settings throws CONFIG_ERROR / OPTION_INVALID.
 */
export interface CollectionOptions<Schema extends StandardSchema = StandardSchema> {
  /**
   * A validator of any library that follows Standard Schema (Zod, Valibot, ArkType …). Local writes that it refuses throw
   * DOCUMENT_INVALID; documents of other nodes that it refuses are kept, and listed by `invalid`.
   */
  readonly schema?: Schema;
  /** Stronger than `Sync.ConflictResolver` and `resolvers`. Nodes must agree on it. Default: as configured. */
  readonly resolver?: ResolverChoice;
  /** Version of the document's shape: a whole number from 0. Default: the highest of `migrations`, or 0. */
  readonly version?: number;
  /**
   * `n`: from version n - 1 to n. Each is a pure function, run when an older document is read, and again as often as it is
   * read; what it returns is checked by `schema`. There must be one for each version from 1 on.
   */
  readonly migrations?: Migrations;
  /**
   * Indexes that the collection shall have on this node; those that it lacks are built in the background, others stay. Throws
   * INVALID_INDEX. docs/guide/queries.md says when an index helps.
   */
  readonly indexes?: readonly IndexSpec[];
  /** What this node keeps of values that were replaced, for `history`, `at` and `undo`. Default: nothing. */
  readonly history?: HistoryOptions;
}
