import type { ResolverChoice } from '../../core/merge/index.ts';
import type { IndexSpec } from '../../core/query/index.ts';
import type { Migrations } from '../evolution/index.ts';
import type { HistoryOptions } from '../history/index.ts';
import type { StandardSchema } from './standard-schema.ts';

/**
 * The definition of a collection. It applies to the open database and is not stored in the file: pass it each time the
 * database was opened, before any other use of the collection, and keep the handle, because each new schema object validates
 * all stored documents again. A later definition must not change the resolver or the version: CONFIG_ERROR / OPTION_INVALID,
 * as for invalid options.
 */
export interface CollectionOptions<Schema extends StandardSchema = StandardSchema> {
  /**
   * A validator of any library that follows Standard Schema (Zod, Valibot, ArkType …). A local write that it refuses fails
   * with DOCUMENT_INVALID; documents of other nodes that it refuses are kept, and listed by `invalid`.
   */
  readonly schema?: Schema;
  /** Takes precedence over `Sync.ConflictResolver` and `resolvers`. All nodes must use the same. Default: as configured. */
  readonly resolver?: ResolverChoice;
  /** Version of the documents' shape: a whole number from 0. Default: the highest of `migrations`, or 0. */
  readonly version?: number;
  /**
   * Under `n`, the step from version n - 1 to n. Each is a pure function and runs every time an older document is read;
   * `schema` validates the result. There must be one for each version from 1 on.
   */
  readonly migrations?: Migrations;
  /**
   * Indexes that the collection needs on this node. Missing ones are built in the background; other existing indexes stay.
   * Throws INVALID_INDEX. docs/guide/queries.md says when an index helps.
   */
  readonly indexes?: readonly IndexSpec[];
  /** How many replaced values this node keeps for `history`, `at` and `undo`. Default: none. */
  readonly history?: HistoryOptions;
}
