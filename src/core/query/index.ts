export type { JsonArray, JsonObject, JsonValue } from './json.ts';
export type { Filter, Path, Query, Scalar, SortField } from './query.ts';
