export type { Filter, Path, Query, Scalar, SortField } from './query.ts';
