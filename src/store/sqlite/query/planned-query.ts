import type { SQLInputValue } from 'node:sqlite';
import type { CollectionName } from '../../../core/ids/index.ts';
import type { IndexPlan, Query } from '../../../core/query/index.ts';
import { LIMITED } from '../tables/index.ts';
import type { ChosenPlan } from './plan-chooser.ts';
import type { CompiledQuery } from './query-sql.ts';

/** A query of a collection, and how it is answered; without a plan, every document is looked at. */
export interface PlannedQuery {
  /** The number of the collection in its dictionary. */
  readonly coll: number;
  readonly collection: CollectionName;
  readonly query: Query;
  readonly plan: ChosenPlan | undefined;
}

/** One that is answered by an index. */
export interface IndexedQuery extends PlannedQuery {
  readonly plan: ChosenPlan;
}

export interface SqlPart {
  readonly sql: string;
  readonly params: readonly SQLInputValue[];
}

/** The rows of `doc` to look at. */
export interface Among extends SqlPart {
  readonly from: 'doc' | typeof BY_ROW;
}

/** Forces lookup by row id: SQLite would prefer to search all rows of the collection, because those come in key order. */
export const BY_ROW = 'doc NOT INDEXED';

export const EVERY_ROW = { where: '1', orderBy: 'x.k, x.key', params: [] };

export type Bound = IndexPlan['bounds'][number];

/** Entries of an index within one range, each with its row, in the order of the plan. `going`: see `QueryRunner`. */
export function entriesSql(
  { plan: { id, order, afterKey }, query: { after } }: IndexedQuery,
  { from, to }: Bound,
  rest: Pick<CompiledQuery, 'where' | 'orderBy' | 'params'>,
  going: string,
): SqlPart {
  const isBackward = order === 'backward';
  const conditions = ['x.idx = ?', 'x.k >= ?'];
  const params: SQLInputValue[] = [id, from];
  if (to !== undefined) {
    conditions.push('x.k < ?');
    params.push(to);
  }
  if (order !== 'none' && after !== undefined && afterKey !== undefined) {
    const beyond = isBackward ? '<' : '>';
    conditions.push(`x.k ${beyond}= ?`, `(x.k ${beyond} ? OR x.key > ?)`);
    params.push(afterKey, afterKey, after.key);
  }
  // An entry without a row is read too, so that it is reported.
  if (rest.where !== '1') conditions.push(`(d.id IS NULL OR ${rest.where})`);
  params.push(...rest.params);
  const inOrder = order === 'none' ? rest.orderBy : isBackward ? 'x.k DESC, x.key' : 'x.k, x.key';
  const sql = `SELECT hex(x.k), x.key, x.sum, d.value FROM idx_entry x LEFT JOIN doc d ON d.id = x.doc
    WHERE ${conditions.join(' AND ')} ${going} ORDER BY ${inOrder} ${LIMITED} OFFSET ?`;
  return { sql, params };
}

/** The rows to which entries within the bounds of the plan lead; without a plan, all rows. */
export function amongEntries(plan: ChosenPlan | undefined): Among {
  if (plan === undefined) return { from: 'doc', sql: '', params: [] };
  if (plan.bounds.length === 0) return { from: 'doc', sql: 'AND 0', params: [] };
  const { sql, params } = entriesOf(plan);
  return { from: BY_ROW, sql: `AND id IN (${sql})`, params };
}

export function entriesOf({ id, bounds }: ChosenPlan): SqlPart {
  const params: SQLInputValue[] = [];
  const parts = bounds.map(({ from, to }) => {
    params.push(id, from, ...(to === undefined ? [] : [to]));
    return `SELECT doc FROM idx_entry WHERE idx = ? AND k >= ? ${to === undefined ? '' : 'AND k < ?'}`;
  });
  return { sql: parts.join(' UNION ALL '), params };
}

/** For SQLite, a negative limit means none. */
export function sqlLimit(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}
