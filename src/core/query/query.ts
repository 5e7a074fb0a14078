/** A JSON scalar, as filters compare them. */
export type Scalar = string | number | boolean | null;

/** A path into a document: property names and array indexes, from the outside in. */
export type Path = readonly string[];

/**
 * A filter as a tree, parsed and validated once from the user's object (`parse-filter.ts`). Semantics are those of the
 * naive evaluator (`matches.ts`), which the memory store runs and the SQLite store is tested against.
 */
export type Filter =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly filters: readonly Filter[] }
  | { readonly kind: 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  /** `eq` of null matches a null, and not a missing field; objects and arrays compare by canonical JSON. */
  | { readonly kind: 'eq'; readonly path: Path; readonly value: unknown }
  | { readonly kind: 'in'; readonly path: Path; readonly values: readonly unknown[] }
  /** Only within one type: numbers with numbers, texts with texts (byte order), booleans with booleans. */
  | { readonly kind: 'gt' | 'gte' | 'lt' | 'lte'; readonly path: Path; readonly value: Scalar }
  | { readonly kind: 'exists'; readonly path: Path };

export interface SortField {
  readonly path: Path;
  readonly descending: boolean;
}

export interface Query {
  readonly filter: Filter;
  /** Ties are broken by key in byte order. Missing < null < booleans < numbers < texts < the rest. */
  readonly sort: readonly SortField[];
  readonly skip: number;
  /** Infinity: all. */
  readonly limit: number;
}
