import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { LIMITS } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import {
  type IndexPlan,
  isAfter,
  type JsonValue,
  keyText,
  planQuery,
  type Query,
  toPredicate,
} from '../../core/query/index.ts';
import type { FoundDocument, QueryPlan } from '../store.ts';
import type { CollectionDictionary } from './dictionary.ts';
import type { DocumentTable } from './document-table.ts';
import { FirstOfOrder } from './first-of-order.ts';
import type { HeldIndex } from './index-rows.ts';
import { entrySum, type IndexTable } from './index-table.ts';
import { type KeepFilter, registerQueryFunctions } from './query-functions.ts';
import { type CompiledQuery, compileQuery } from './query-sql.ts';
import { DOCUMENT_COLUMNS } from './row-codec.ts';

/** Statements of queries kept prepared. Of more, the one unused for longest is prepared again. */
const STATEMENTS_MAX = 100;

/** Rows that one statement with functions of ours looks at: it keeps their documents in memory. */
const PART_ROWS = 64;

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
  readonly #keepFilter: KeepFilter;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, documents: DocumentTable, indexes: IndexTable, collections: CollectionDictionary) {
    this.#db = db;
    this.#documents = documents;
    this.#indexes = indexes;
    this.#collections = collections;
    this.#keepFilter = registerQueryFunctions(db);
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
    const { where, params, callsFunctions } = compileQuery(plain, this.#keepFilter);
    let count = 0;
    for (const among of callsFunctions ? this.#parts(coll, plan) : [amongEntries(plan)]) {
      const sql = `SELECT count(*) AS n FROM doc WHERE coll = ? AND value IS NOT NULL ${among.sql} AND ${where}`;
      count += this.#prepare(sql).get(coll, ...among.params, ...params)!.n as number;
    }
    return count;
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
    const compiled = compileQuery(query, this.#keepFilter);
    if (!compiled.callsFunctions) return this.#select(coll, query, compiled, amongEntries(plan));
    const first = new FirstOfOrder(query);
    for (const part of this.#parts(coll, plan)) {
      first.add(this.#select(coll, first.query, compiled, part));
      if (first.isComplete && plan === undefined && query.sort.length === 0) break;
    }
    return first.result();
  }

  #select(coll: number, { skip, limit }: Query, compiled: CompiledQuery, among: SqlPart): FoundDocument[] {
    const { where, orderBy, params } = compiled;
    const sql = `SELECT ${DOCUMENT_COLUMNS} FROM doc WHERE coll = ? AND value IS NOT NULL ${among.sql} AND ${where}
      ORDER BY ${orderBy} LIMIT ? OFFSET ?`;
    const parameters = [coll, ...among.params, ...params, sqlLimit(limit), skip];
    return this.#documents
      .selectBy(this.#prepare(sql, true), parameters)
      .map(({ key, value }) => ({ key, value: value! }));
  }

  /** Conditions that divide the rows of a collection, or those that a plan leads to, into few at a time; without a plan in the order of their keys. */
  *#parts(coll: number, plan: ChosenPlan | undefined): Generator<SqlPart> {
    if (plan?.bounds.length === 0) return;
    if (plan !== undefined) {
      const { sql, params } = entriesOf(plan);
      const ids = this.#prepare(`SELECT DISTINCT doc AS id FROM (${sql}) ORDER BY doc`).all(...params);
      for (let from = 0; from < ids.length; from += PART_ROWS) {
        const some = ids.slice(from, from + PART_ROWS).map(({ id }) => id);
        yield { sql: 'AND id IN (SELECT value FROM json_each(?))', params: [JSON.stringify(some)] };
      }
      return;
    }
    const last = this.#prepare('SELECT key FROM doc WHERE coll = ? AND key > ? ORDER BY key LIMIT 1 OFFSET ?');
    // No key is empty: everything is above the empty text.
    for (let after = ''; ; ) {
      const upTo = last.get(coll, after, PART_ROWS - 1)?.key as string | undefined;
      if (upTo === undefined) return yield { sql: 'AND key > ?', params: [after] };
      yield { sql: 'AND key > ? AND key <= ?', params: [after, upTo] };
      after = upTo;
    }
  }

  /** Entries and their rows, bound after bound; each row is verified by its entry. */
  #readEntries(collection: CollectionName, query: Query, plan: ChosenPlan): FoundDocument[] {
    const isOrdered = plan.order !== 'none';
    const asked = { ...query, filter: plan.residual, ...(isOrdered && { after: undefined }) };
    const rest = compileQuery(asked, this.#keepFilter, 'd.value', 'd.key');
    if (rest.callsFunctions) return this.#readEntriesOneByOne(collection, query, plan);
    const bounds = plan.order === 'backward' ? [...plan.bounds].reverse() : plan.bounds;
    // With several bounds nobody knows how many each of them skips.
    const isOne = bounds.length === 1;
    const found: FoundDocument[] = [];
    for (const { from, to } of bounds) {
      const left = isOne ? query.limit : query.skip + query.limit - found.length;
      if (left <= 0) break;
      const { sql, params } = entriesSql(plan, { from, to }, query, rest);
      const rows = this.#prepare(sql, true).all(...params, sqlLimit(left), isOne ? query.skip : 0);
      for (const row of rows as unknown as EntryRow[]) found.push(this.#verified(collection, plan, row));
    }
    return isOne ? found : found.slice(query.skip, query.skip + query.limit);
  }

  /** As `#readEntries`, where functions would keep every row in memory: each row comes here, and goes again. */
  #readEntriesOneByOne(collection: CollectionName, query: Query, plan: ChosenPlan): FoundDocument[] {
    const first = new FirstOfOrder(query);
    const isOrdered = plan.order !== 'none';
    const fits = toPredicate(plan.residual);
    const bounds = plan.order === 'backward' ? [...plan.bounds].reverse() : plan.bounds;
    for (const bound of bounds) {
      const { sql, params } = entriesSql(plan, bound, query, EVERY_ROW);
      const rows = this.#prepare(sql, true).iterate(...params, -1, 0);
      for (const row of rows as Iterable<unknown> as Iterable<EntryRow>) {
        const [, key, , text] = row;
        const value = text === null ? null : (JSON.parse(text) as JsonValue);
        // A row that is gone, or not the entry's, is met, so that it can be told.
        const isWanted = value === null || (fits(value) && isAfterPlace(query, { key, value }));
        if (isWanted) first.add([this.#verified(collection, plan, row)]);
        if (first.isComplete && isOrdered) return first.result();
      }
    }
    return first.result();
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

interface SqlPart {
  readonly sql: string;
  readonly params: readonly SQLInputValue[];
}

const EVERY_ROW = { where: '1', orderBy: 'x.k, x.key', params: [] };

type EntryRow = readonly [hex: string, key: string, sum: number, value: string | null];

function entriesSql(
  { id, order, afterKey }: ChosenPlan,
  { from, to }: IndexPlan['bounds'][number],
  { after }: Query,
  rest: Pick<CompiledQuery, 'where' | 'orderBy' | 'params'>,
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
  const inOrder = order === 'none' ? rest.orderBy : isBackward ? 'x.k DESC, x.key' : 'x.k, x.key';
  const sql = `SELECT hex(x.k), x.key, x.sum, d.value FROM idx_entry x LEFT JOIN doc d ON d.id = x.doc
    WHERE ${conditions.join(' AND ')} ORDER BY ${inOrder} LIMIT ? OFFSET ?`;
  return { sql, params };
}

/** A condition on rows of `doc`: an entry within the bounds of the plan, if there is one, leads to them. */
function amongEntries(plan: ChosenPlan | undefined): SqlPart {
  if (plan === undefined) return { sql: '', params: [] };
  if (plan.bounds.length === 0) return { sql: 'AND 0', params: [] };
  const { sql, params } = entriesOf(plan);
  return { sql: `AND id IN (${sql})`, params };
}

function entriesOf({ id, bounds }: ChosenPlan): SqlPart {
  const params: SQLInputValue[] = [];
  const parts = bounds.map(({ from, to }) => {
    params.push(id, from, ...(to === undefined ? [] : [to]));
    return `SELECT doc FROM idx_entry WHERE idx = ? AND k >= ? ${to === undefined ? '' : 'AND k < ?'}`;
  });
  return { sql: parts.join(' UNION ALL '), params };
}

function rangeText({ from, to }: IndexPlan['bounds'][number]): string {
  return `from [${keyText(from)}] to below [${to === undefined ? 'the end' : keyText(to)}]`;
}

/** Where the order of the index says it already, it says the same. */
function isAfterPlace({ sort, after }: Query, document: { readonly key: string; readonly value: JsonValue }): boolean {
  return after === undefined || isAfter(sort, document, after);
}

/** SQLite knows no infinite limit but a negative one. */
function sqlLimit(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}
