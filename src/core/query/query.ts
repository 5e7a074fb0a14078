import type { JsonValue } from './json.ts';
import type { RegexProgram } from './regex/index.ts';

/** A JSON scalar, as filters compare them. */
export type Scalar = string | number | boolean | null;

/** A path into a document: property names and array indexes, from the outside in. */
export type Path = readonly string[];

/**
 * A filter as a tree, parsed and validated once from the user's object (`parse-filter.ts`). It means what the naive
 * evaluator (`matches.ts`) says, which the memory store runs and the SQLite store is tested against.
 */
export type Filter =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly filters: readonly Filter[] }
  | { readonly kind: 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  /** `eq` with null fits null, not a missing field. Objects and arrays compare by canonical JSON. */
  | { readonly kind: 'eq'; readonly path: Path; readonly value: unknown }
  | { readonly kind: 'in'; readonly path: Path; readonly values: readonly unknown[] }
  /** Only within one type: numbers with numbers, texts with texts (byte order), booleans with booleans. */
  | { readonly kind: 'gt' | 'gte' | 'lt' | 'lte'; readonly path: Path; readonly value: Scalar }
  | { readonly kind: 'exists'; readonly path: Path }
  /** The path leads to an array of which one item fits the filter. Paths inside that filter begin at the item. */
  | { readonly kind: 'elem'; readonly path: Path; readonly filter: Filter }
  /** An array that contains an equal item, or a text that contains this one. */
  | { readonly kind: 'contains'; readonly path: Path; readonly value: unknown }
  | { readonly kind: 'starts' | 'ends'; readonly path: Path; readonly value: string }
  /** An array of exactly `value` items. */
  | { readonly kind: 'size'; readonly path: Path; readonly value: number }
  | { readonly kind: 'regex'; readonly path: Path; readonly program: RegexProgram }
  /** Each of the words occurs in one of the texts at the paths: see `words.ts`. */
  | { readonly kind: 'words'; readonly paths: readonly Path[]; readonly words: readonly SearchWord[] };

/** A word to search for, normalised as in `words.ts`. */
export interface SearchWord {
  readonly word: string;
  /** Whether words that begin with it fit too. */
  readonly isPrefix: boolean;
}

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
  /** Only documents after this place in the order of `sort`; undefined: from the first. */
  readonly after?: SortPlace | undefined;
}

/** A place in a sort order: right after a document with these values and this key, whether or not it still exists. */
export interface SortPlace {
  /** One for each field of the sort; undefined if the document lacked it. Arrays and objects are equal to each other. */
  readonly values: readonly (JsonValue | undefined)[];
  readonly key: string;
}
