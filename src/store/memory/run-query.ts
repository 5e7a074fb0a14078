import { LIMITS } from '../../core/config/index.ts';
import { compareBySort, isAfter, type JsonValue, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument, QueryPlan } from '../store.ts';

interface Parsed extends FoundDocument {
  readonly parsed: JsonValue;
}

/** The documents that fit the query's filter, in the given order. */
function* fitting(documents: Iterable<FoundDocument>, query: Query): Iterable<Parsed> {
  for (const { key, value } of documents) {
    const parsed = JSON.parse(value) as JsonValue;
    if (matches(query.filter, parsed)) yield { key, value, parsed };
  }
}

/** Answers a query by looking at every document. This defines what a query finds. `documents` must be in key order. */
export function runQuery(documents: Iterable<FoundDocument>, query: Query): FoundDocument[] {
  const { after } = query;
  const found = [...fitting(documents, query)].filter(
    ({ key, parsed }) => after === undefined || isAfter(query.sort, { key, value: parsed }, after),
  );
  if (query.sort.length > 0) {
    const compare = compareBySort(query.sort);
    found.sort((a, b) => compare({ key: a.key, value: a.parsed }, { key: b.key, value: b.parsed }));
  }
  return found.slice(query.skip, query.skip + query.limit).map(({ key, value }) => ({ key, value }));
}

export function countFitting(documents: Iterable<FoundDocument>, query: Query): number {
  let count = 0;
  for (const _ of fitting(documents, query)) count++;
  return count;
}

/** The plan of a scan of all documents: this store reads no indexes. */
export function explainScan(query: Query, documents: number): QueryPlan {
  return {
    index: null,
    range: null,
    ranges: 0,
    filtered: query.filter.kind !== 'all',
    sort: query.sort.length === 0 ? 'none' : 'memory',
    estimatedRows: Math.min(documents, LIMITS.estimatedRowsMax),
  };
}
