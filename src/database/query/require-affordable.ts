import type { Limits } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { conditionsLookedAt, invalidFilter, type Query } from '../../core/query/index.ts';
import type { Replica } from '../replica/index.ts';

/** Filters with at most this many conditions are always allowed; hand-written ones stay below it. */
const CONDITIONS_FREE = 500;

/**
 * Throws INVALID_FILTER for a query that would block a thread, or the event loop, for minutes: the number of its conditions
 * times the number of documents is above `filterStepsMax`, and no index narrows it.
 */
export function requireAffordable(
  replica: Pick<Replica, 'store' | 'collection'>,
  limits: Pick<Limits, 'filterStepsMax' | 'estimatedRowsMax'>,
  collection: CollectionName,
  query: Query,
): void {
  const conditions = conditionsLookedAt(query.filter);
  if (conditions <= CONDITIONS_FREE) return;
  const { count } = replica.collection(collection).fingerprint;
  if (conditions * count <= limits.filterStepsMax) return;
  const { index, estimatedRows } = replica.store.explain(collection, query);
  if (index !== null && estimatedRows < limits.estimatedRowsMax) return;
  throw invalidFilter(
    `the filter looks at about ${conditions} conditions in each of ${count} documents, and ${limits.filterStepsMax} in all are the limit (Limits.FilterStepsMax); compare a path with many values by $in, add a condition that an index answers, or ask in several queries`,
    { conditions, documents: count, filterStepsMax: limits.filterStepsMax },
  );
}
