export { CollectionQueries, type PageOptions, type QueriesHost } from './collection-queries.ts';
export { type ConditionedQuery, type FieldQuery, type FluentQuery, fluentQuery } from './fluent-query.ts';
export { IndexKeeper } from './index-keeper.ts';
export { IndexedWrites } from './indexed-writes.ts';
export { projectDocument } from './project.ts';
export type { Aggregate, EnsureIndexOptions, FindOptions, Group, IndexInfo, Page } from './query-api.ts';
export { StoreQueries } from './store-queries.ts';
