export { canonicalJson } from './canonical-json.ts';
export { compareBySort, compareValues, isAfter, type SortableDocument } from './compare-values.ts';
export {
  type IndexDefinition,
  type IndexOptions,
  type IndexPlan,
  type IndexSpec,
  indexEntries,
  invalidIndex,
  keyText,
  parseIndex,
  planQuery,
} from './index-plan/index.ts';
export { invalidFilter } from './invalid-filter.ts';
export type { JsonArray, JsonObject, JsonValue } from './json.ts';
export { matches } from './matches.ts';
export { pageToken } from './page-token.ts';
export { parseFilter, toPath } from './parse-filter.ts';
export { parseQuery, type QueryOptions } from './parse-query.ts';
export { isArrayIndex, isJsonArray, isSamePath, parsePath, readPath } from './path.ts';
export { conditionsLookedAt, type Predicate, toPredicate } from './predicate.ts';
export type { Filter, Path, Query, Scalar, SortField, SortPlace } from './query.ts';
