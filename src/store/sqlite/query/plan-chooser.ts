import { LIMITS } from '../../../core/config/index.ts';
import { conditionsLookedAt, type IndexPlan, planQuery, type Query } from '../../../core/query/index.ts';
import { type IndexTable, LIMITED, type StatementCache } from '../tables/index.ts';

/** Evaluating this many conditions takes about as long as reading a document. */
const CONDITIONS_PER_DOCUMENT = 100;

/** A plan that uses an index which is ready. */
export interface ChosenPlan extends IndexPlan {
  readonly id: number;
}

/** Finds the index that answers a query best, and how much must be read. */
export class PlanChooser {
  readonly #indexes: IndexTable;
  readonly #statements: StatementCache;

  constructor(indexes: IndexTable, statements: StatementCache) {
    this.#indexes = indexes;
    this.#statements = statements;
  }

  /** If several indexes help, the one with the fewest entries to read. */
  choose(coll: number, query: Query, isTrusted: (id: number) => boolean): ChosenPlan | undefined {
    const held = (this.#indexes.keptBy(coll) ?? []).filter(({ id, state }) => state === 'ready' && isTrusted(id));
    if (held.length === 0) return undefined;
    const ids = new Map(held.map(({ id, definition }) => [definition, id]));
    const plans = planQuery(
      query,
      held.map(({ definition }) => definition),
    ).map((plan) => ({ ...plan, id: ids.get(plan.index)! }));
    return this.#cheapest(plans, query.skip + query.limit);
  }

  /** Of equally cheap plans, the first. Entries are counted only if there is a choice, and no further than needed for it. */
  #cheapest(plans: readonly ChosenPlan[], wanted: number): ChosenPlan | undefined {
    let [best, ...others] = plans;
    if (best === undefined || others.length === 0) return best;
    // A plan whose every entry is wanted, in order, stops when it has enough.
    const mostOf = (plan: ChosenPlan): number => (readsNoMore(plan) ? wanted : Number.POSITIVE_INFINITY);
    let least = this.entriesWithin(best, Math.min(LIMITS.estimatedRowsMax, mostOf(best)));
    for (const plan of others) {
      const entries = Math.min(this.entriesWithin(plan, least), mostOf(plan));
      if (entries < least) [best, least] = [plan, entries];
    }
    return best;
  }

  /** Whether a query takes longer than reading `documentsMax` documents. */
  isLonger(coll: number, query: Query, plan: ChosenPlan | undefined, documentsMax: number): boolean {
    if (documentsMax === Number.POSITIVE_INFINITY) return false;
    const conditions = conditionsLookedAt(plan?.residual ?? query.filter);
    const max = Math.floor(documentsMax / (1 + conditions / CONDITIONS_PER_DOCUMENT));
    if (plan === undefined)
      return this.#statements.get('SELECT 1 FROM doc WHERE coll = ? LIMIT 1 OFFSET ?').get(coll, max) !== undefined;
    if (readsNoMore(plan) && query.skip + query.limit <= max) return false;
    return this.#areMoreWithin(plan, max);
  }

  /** Uses OFFSET, since skipping entries takes half as long as counting them. */
  #areMoreWithin(plan: ChosenPlan, max: number): boolean {
    const [bound, ...others] = plan.bounds;
    if (bound === undefined || others.length > 0) return this.entriesWithin(plan, max + 1) > max;
    const below = bound.to === undefined ? '' : 'AND k < ?';
    const sql = `SELECT 1 FROM idx_entry WHERE idx = ? AND k >= ? ${below} LIMIT 1 OFFSET ?`;
    const bounds = bound.to === undefined ? [bound.from] : [bound.from, bound.to];
    return this.#statements.get(sql).get(plan.id, ...bounds, max) !== undefined;
  }

  /** Number of entries within the bounds of a plan, counted up to `max`. */
  entriesWithin({ id, bounds }: ChosenPlan, max: number): number {
    let count = 0;
    for (const { from, to } of bounds) {
      if (count >= max) break;
      const below = to === undefined ? '' : 'AND k < ?';
      const limit = max === Number.POSITIVE_INFINITY ? -1 : max - count;
      const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM idx_entry WHERE idx = ? AND k >= ? ${below} ${LIMITED})`;
      count += this.#statements.get(sql).get(id, from, ...(to === undefined ? [] : [to]), limit)!.n as number;
    }
    return count;
  }
}

/** Whether every entry that is read is one that the query wants. */
function readsNoMore({ order, residual }: IndexPlan): boolean {
  return order !== 'none' && residual.kind === 'all';
}
