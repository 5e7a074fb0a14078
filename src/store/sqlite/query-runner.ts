import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { LIMITS } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { type IndexPlan, keyText, planQuery, type Query } from '../../core/query/index.ts';
import type { FoundDocument, QueryPlan } from '../store.ts';
import type { CollectionDictionary } from './dictionary.ts';
import type { DocumentTable } from './document-table.ts';
import type { HeldIndex } from './index-rows.ts';
import { entrySum, type IndexTable } from './index-table.ts';
import { type CompiledQuery, compileQuery } from './query-sql.ts';
import { DOCUMENT_COLUMNS } from './row-codec.ts';

/** Statements of queries kept prepared. Of more, the one unused for longest is prepared again. */
const STATEMENTS_MAX = 100;

/** A way to answer by an index that is ready. */
interface ChosenPlan extends IndexPlan {
  readonly id: number;
  /** Entries within the bounds, as far as they were counted. */
  readonly estimatedRows: number;
}

/** An index has an entry that does not fit its row, or lacks one. */
export class RottenIndexError extends Error {
  readonly indexId: number;

  constructor(indexId: number, message: string) {
    super(message);
    this.indexId = indexId;
  }
}

export function rottenIndex(
  collection: CollectionName,
  { id, definition }: Pick<HeldIndex, 'id' | 'definition'>,
): RottenIndexError {
  const names = [definition.name, collection].map((name) => JSON.stringify(name)).join(' of collection ');
  return new RottenIndexError(id, `the index ${names} does not fit its documents`);
}

/** Answers queries: by an index where there is one that helps, else by looking at every document. */
export class QueryRunner {
  readonly #db: DatabaseSync;
  readonly #documents: DocumentTable;
  readonly #indexes: IndexTable;
  readonly #collections: CollectionDictionary;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, documents: DocumentTable, indexes: IndexTable, collections: CollectionDictionary) {
    this.#db = db;
    this.#documents = documents;
    this.#indexes = indexes;
    this.#collections = collections;
  }

  /** `isTrusted`: whether an index may be read. Throws RottenIndexError for one that rotted. */
  find(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): FoundDocument[] {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return [];
    const plan = this.#choose(coll, query, isTrusted);
    if (plan === undefined) return this.#scan(coll, query);
    if (plan.bounds.length === 0) return [];
    const isOnePass = plan.order !== 'none' || (plan.bounds.length === 1 && !plan.mayRepeat);
    return isOnePass ? this.#readEntries(collection, query, plan) : this.#scan(coll, query, plan);
  }

  count(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): number {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return 0;
    const plain: Query = { filter: query.filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    const plan = this.#choose(coll, plain, isTrusted);
    if (plan?.residual.kind === 'all' && !plan.mayRepeat) return this.#entriesWithin(plan, Number.POSITIVE_INFINITY);
    const { where, params } = compileQuery(plain);
    const among = plan === undefined ? { sql: '', params: [] } : amongEntries(plan);
    const sql = `SELECT count(*) AS n FROM doc WHERE coll = ? AND value IS NOT NULL ${among.sql} AND ${where}`;
    return this.#prepare(sql).get(coll, ...among.params, ...params)!.n as number;
  }

  explain(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): QueryPlan {
    const coll = this.#collections.knownId(collection);
    const plan = coll === undefined ? undefined : this.#choose(coll, query, isTrusted);
    const isSorted = plan !== undefined && plan.order !== 'none';
    const sort = isSorted ? 'index' : query.sort.length === 0 ? 'none' : 'memory';
    if (plan === undefined) {
      const rows = this.#prepare('SELECT count(*) AS n FROM (SELECT 1 FROM doc WHERE coll = ? LIMIT ?)');
      const estimatedRows = coll === undefined ? 0 : (rows.get(coll, LIMITS.estimatedRowsMax)!.n as number);
      return { index: null, range: null, ranges: 0, filtered: query.filter.kind !== 'all', sort, estimatedRows };
    }
    const { index, bounds, narrowed, residual, estimatedRows } = plan;
    return {
      index: index.name,
      range: narrowed === 'nothing' || bounds[0] === undefined ? null : rangeText(bounds[0]),
      ranges: bounds.length,
      filtered: residual.kind !== 'all',
      sort,
      estimatedRows,
    };
  }

  /** Where several indexes help, the one with the fewest entries to read. */
  #choose(coll: number, query: Query, isTrusted: (id: number) => boolean): ChosenPlan | undefined {
    const held = (this.#indexes.keptBy(coll) ?? []).filter(({ id, state }) => state === 'ready' && isTrusted(id));
    if (held.length === 0) return undefined;
    const ids = new Map(held.map(({ id, definition }) => [definition, id]));
    const plans = planQuery(
      query,
      held.map(({ definition }) => definition),
    ).map((plan) => {
      const chosen = { ...plan, id: ids.get(plan.index)!, estimatedRows: 0 };
      return { ...chosen, estimatedRows: this.#entriesWithin(chosen, LIMITS.estimatedRowsMax) };
    });
    // What comes in order needs no more than it gives.
    const wanted = query.skip + query.limit;
    const cost = (plan: ChosenPlan): number =>
      plan.order === 'none' || plan.residual.kind !== 'all' ? plan.estimatedRows : Math.min(plan.estimatedRows, wanted);
    return plans.reduce<ChosenPlan | undefined>(
      (best, plan) => (best && cost(best) <= cost(plan) ? best : plan),
      undefined,
    );
  }

  #entriesWithin({ id, bounds }: ChosenPlan, max: number): number {
    let count = 0;
    for (const { from, to } of bounds) {
      if (count >= max) break;
      const below = to === undefined ? '' : 'AND k < ?';
      const limit = max === Number.POSITIVE_INFINITY ? -1 : max - count;
      const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM idx_entry WHERE idx = ? AND k >= ? ${below} LIMIT ?)`;
      count += this.#prepare(sql).get(id, from, ...(to === undefined ? [] : [to]), limit)!.n as number;
    }
    return count;
  }

  /**
   * Rows by their own digest. Of a plan, only those that entries lead to, and each held against the whole filter: an entry that
   * leads to a wrong row adds nothing.
   */
  #scan(coll: number, query: Query, plan?: ChosenPlan): FoundDocument[] {
    const { where, orderBy, params } = compileQuery(query);
    const among = plan === undefined ? { sql: '', params: [] } : amongEntries(plan);
    const sql = `SELECT ${DOCUMENT_COLUMNS} FROM doc WHERE coll = ? AND value IS NOT NULL ${among.sql} AND ${where}
      ORDER BY ${orderBy} LIMIT ? OFFSET ?`;
    const parameters = [coll, ...among.params, ...params, sqlLimit(query.limit), query.skip];
    return this.#documents
      .selectBy(this.#prepare(sql, true), parameters)
      .map(({ key, value }) => ({ key, value: value! }));
  }

  /** Entries and their rows, bound after bound; each row is verified by its entry. */
  #readEntries(collection: CollectionName, query: Query, plan: ChosenPlan): FoundDocument[] {
    const isOrdered = plan.order !== 'none';
    const { orderBy } = compileQuery(query, 'd.value', 'd.key');
    const rest = compileQuery(
      { ...query, filter: plan.residual, ...(isOrdered && { after: undefined }) },
      'd.value',
      'd.key',
    );
    const bounds = plan.order === 'backward' ? [...plan.bounds].reverse() : plan.bounds;
    // With several bounds nobody knows how many each of them skips.
    const isOne = bounds.length === 1;
    const found: FoundDocument[] = [];
    for (const { from, to } of bounds) {
      const left = isOne ? query.limit : query.skip + query.limit - found.length;
      if (left <= 0) break;
      const { sql, params } = entriesSql(plan, { from, to }, query, rest, orderBy);
      const rows = this.#prepare(sql, true).all(...params, sqlLimit(left), isOne ? query.skip : 0);
      for (const row of rows as unknown as EntryRow[]) found.push(this.#verified(collection, plan, row));
    }
    return isOne ? found : found.slice(query.skip, query.skip + query.limit);
  }

  #verified(collection: CollectionName, { id, index }: ChosenPlan, [hex, key, sum, value]: EntryRow): FoundDocument {
    if (value !== null && entrySum(hex, key, value) === sum) return { key: key as DocumentKey, value };
    // Throws where it is the row that is damaged.
    this.#documents.get(collection, key as DocumentKey);
    throw rottenIndex(collection, { id, definition: index });
  }

  #prepare(sql: string, asArrays = false): StatementSync {
    const known = this.#statements.get(sql);
    const statement = known ?? this.#db.prepare(sql);
    if (known === undefined) statement.setReturnArrays(asArrays);
    else this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    const oldest = this.#statements.size > STATEMENTS_MAX ? this.#statements.keys().next().value : undefined;
    if (oldest !== undefined) this.#statements.delete(oldest);
    return statement;
  }
}

type EntryRow = readonly [hex: string, key: string, sum: number, value: string | null];

function entriesSql(
  { id, order, afterKey }: ChosenPlan,
  { from, to }: IndexPlan['bounds'][number],
  { after }: Query,
  rest: CompiledQuery,
  orderBy: string,
): { readonly sql: string; readonly params: readonly SQLInputValue[] } {
  const isBackward = order === 'backward';
  const conditions = ['x.idx = ?', 'x.k >= ?'];
  const params: SQLInputValue[] = [id, from];
  if (to !== undefined) {
    conditions.push('x.k < ?');
    params.push(to);
  }
  if (order !== 'none' && after !== undefined && afterKey !== undefined) {
    const [atOrAfter, after_] = isBackward ? ['<=', '<'] : ['>=', '>'];
    conditions.push(`x.k ${atOrAfter} ?`, `(x.k ${after_} ? OR x.key > ?)`);
    params.push(afterKey, afterKey, after.key);
  }
  // A row that is gone is met, so that it can be told.
  if (rest.where !== '1') conditions.push(`(d.id IS NULL OR ${rest.where})`);
  params.push(...rest.params);
  const inOrder = order === 'none' ? orderBy : isBackward ? 'x.k DESC, x.key' : 'x.k, x.key';
  const sql = `SELECT hex(x.k), x.key, x.sum, d.value FROM idx_entry x LEFT JOIN doc d ON d.id = x.doc
    WHERE ${conditions.join(' AND ')} ORDER BY ${inOrder} LIMIT ? OFFSET ?`;
  return { sql, params };
}

/** A condition on rows of `doc`: an entry within the bounds leads to them. */
function amongEntries({ id, bounds }: ChosenPlan): { readonly sql: string; readonly params: readonly SQLInputValue[] } {
  if (bounds.length === 0) return { sql: 'AND 0', params: [] };
  const params: SQLInputValue[] = [];
  const parts = bounds.map(({ from, to }) => {
    params.push(id, from, ...(to === undefined ? [] : [to]));
    return `SELECT doc FROM idx_entry WHERE idx = ? AND k >= ? ${to === undefined ? '' : 'AND k < ?'}`;
  });
  return { sql: `AND id IN (${parts.join(' UNION ALL ')})`, params };
}

function rangeText({ from, to }: IndexPlan['bounds'][number]): string {
  return `from [${keyText(from)}] to below [${to === undefined ? 'the end' : keyText(to)}]`;
}

/** SQLite knows no infinite limit but a negative one. */
function sqlLimit(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}
