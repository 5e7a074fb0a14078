import { LIMITS } from '../config/index.ts';
import { at, invalidFilter } from './invalid-filter.ts';
import { parsePageToken } from './page-token.ts';
import { parseFilter, toPath } from './parse-filter.ts';
import type { Query, SortField } from './query.ts';

export interface QueryOptions {
  /** Fields to sort by, the most significant first: 1 ascending, -1 descending. At most sortFieldsMax. Default: by key. */
  readonly sort?: Readonly<Record<string, 1 | -1>> | undefined;
  /** Number of documents to skip at the start. Default 0. */
  readonly skip?: number | undefined;
  /** Largest number of documents, 0 or more. Default: all. */
  readonly limit?: number | undefined;
  /** Token for the end of an earlier page: its `next`. Valid only with the same sort. Default: from the first document. */
  readonly after?: string | undefined;
}

/** Parses a user's filter and options. Throws PERSISTENCE_ERROR / INVALID_FILTER, saying which part is wrong. */
export function parseQuery(filter: unknown, options: QueryOptions = {}): Query {
  const sort = parseSort(options.sort);
  return {
    filter: parseFilter(filter),
    sort,
    skip: parseCount('skip', options.skip, 0),
    limit: options.limit === Number.POSITIVE_INFINITY ? options.limit : parseCount('limit', options.limit, Infinity),
    ...(options.after === undefined ? {} : { after: parsePageToken(options.after, sort) }),
  };
}

function parseSort(sort: unknown): readonly SortField[] {
  if (sort === undefined) return [];
  if (typeof sort !== 'object' || sort === null || Array.isArray(sort)) {
    throw invalidFilter('the sort is not an object such as { name: 1, age: -1 }');
  }
  const fields = Object.entries(sort);
  if (fields.length > LIMITS.sortFieldsMax) {
    throw invalidFilter(`the sort has more than ${LIMITS.sortFieldsMax} fields (Limits.sortFieldsMax)`);
  }
  return fields.map(([name, direction]) => {
    if (direction !== 1 && direction !== -1) {
      throw invalidFilter(`the sort's direction${at(name)} is neither 1 (ascending) nor -1 (descending)`, {
        path: name,
      });
    }
    return { path: toPath(name), descending: direction === -1 };
  });
}

function parseCount(name: 'skip' | 'limit', value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidFilter(`the query's ${name} is not an integer from 0`, { option: name });
}
