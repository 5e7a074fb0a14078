import type { Limits } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { conditionsLookedAt, invalidFilter, type Query } from '../../core/query/index.ts';
import type { Replica } from '../replica/index.ts';

/** What people write by hand stays below it, and may look at collections of any size. */
const CONDITIONS_FREE = 500;

/**
 * INVALID_FILTER for a query that would keep a thread, or where there is none the event loop, for minutes: it looks at many conditions
 * in each of many documents (`filterStepsMax`).
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
