export type { Combinations, Condition, FieldOperators, Filter, Ordered, Path, Sort, ValueAt } from './filter-types.ts';
