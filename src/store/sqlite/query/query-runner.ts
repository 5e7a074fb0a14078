import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { LIMITS } from '../../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { isAfter, type JsonValue, keyText, type Query, toPredicate } from '../../../core/query/index.ts';
import type { FoundDocument, QueryPlan } from '../../store.ts';
import {
  type CollectionDictionary,
  DOCUMENT_COLUMNS,
  type DocumentTable,
  entrySum,
  type IndexTable,
  LIMITED,
  StatementCache,
} from '../tables/index.ts';
import { FirstOfOrder } from './first-of-order.ts';
import { type ChosenPlan, PlanChooser } from './plan-chooser.ts';
import {
  type Among,
  amongEntries,
  type Bound,
  BY_ROW,
  EVERY_ROW,
  entriesOf,
  entriesSql,
  type IndexedQuery,
  type PlannedQuery,
  sqlLimit,
} from './planned-query.ts';
import { type KeepFilter, registerQueryFunctions } from './query-functions.ts';
import { type CompiledQuery, compileQuery } from './query-sql.ts';
import { rottenIndex } from './rotten-index.ts';

/** Rows that one statement with functions of ours looks at, since it keeps their documents in memory. */
const PART_ROWS = 64;

/** Index entries that can be counted in the time that it takes to read a document. */
const ENTRIES_PER_DOCUMENT = 100;

/** Rows that can be counted in the time that it takes to read a document: their values are not read, but each may be on its own page. */
const ROWS_PER_DOCUMENT = 5;

/** A query that wants few documents usually finds them among this many: they are tried before asking whether the query is long. */
const TRIED_DOCUMENTS = 4 * PART_ROWS;

type Emit = (document: FoundDocument) => void;

/** Answers queries with an index that helps, or else by looking at every document. */
export class QueryRunner {
  readonly #documents: DocumentTable;
  readonly #collections: CollectionDictionary;
  readonly #keepFilter: KeepFilter;
  readonly #pulse: (() => void) | undefined;
  readonly #statements: StatementCache;
  readonly #plans: PlanChooser;

  /**
   * `pulse` is called again and again while a query runs, and can end it by throwing. With a pulse, rows are read one at a
   * time as they are handed over; without one, all together, which is faster.
   */
  constructor(
    db: DatabaseSync,
    documents: DocumentTable,
    indexes: IndexTable,
    collections: CollectionDictionary,
    pulse?: () => void,
  ) {
    this.#pulse = pulse;
    this.#documents = documents;
    this.#statements = new StatementCache(db);
    this.#plans = new PlanChooser(indexes, this.#statements);
    this.#collections = collections;
    this.#keepFilter = registerQueryFunctions(db, pulse);
  }

  /** `isTrusted`: whether an index may be read. Throws RottenIndexError for one that rotted. */
  find(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): FoundDocument[] {
    const found: FoundDocument[] = [];
    this.each(collection, query, isTrusted, (document) => found.push(document));
    return found;
  }

  /** As `find`, but hands over one document after the other. */
  each(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean, emit: Emit): void {
    const coll = this.#collections.knownId(collection);
    if (coll !== undefined)
      this.#answer({ coll, collection, query, plan: this.#plans.choose(coll, query, isTrusted) }, emit);
  }

  /** As `find`; undefined if that takes longer than reading `documentsMax` documents. */
  findSoon(
    collection: CollectionName,
    query: Query,
    isTrusted: (id: number) => boolean,
    documentsMax: number,
  ): FoundDocument[] | undefined {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return [];
    const plan = this.#plans.choose(coll, query, isTrusted);
    const asked: PlannedQuery = { coll, collection, query, plan };
    const isLonger = (): boolean => this.#plans.isLonger(coll, query, plan, documentsMax);
    const wantsFew = query.skip + query.limit <= TRIED_DOCUMENTS;
    if (plan === undefined && wantsFew && query.sort.length === 0)
      return this.#scanParts(asked, compileQuery(query, this.#keepFilter), isLonger);
    if (isLonger()) {
      const isTried = isIndexed(asked) && asked.plan.order !== 'none' && wantsFew;
      return isTried ? this.#readEntriesOneByOne(asked, TRIED_DOCUMENTS) : undefined;
    }
    const found: FoundDocument[] = [];
    this.#answer(asked, (document) => found.push(document));
    return found;
  }

  count(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): number {
    return this.countSoon(collection, query, isTrusted, Number.POSITIVE_INFINITY)!;
  }

  /** As `count`; undefined if that takes longer than reading `documentsMax` documents. */
  countSoon(
    collection: CollectionName,
    query: Query,
    isTrusted: (id: number) => boolean,
    documentsMax: number,
  ): number | undefined {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return 0;
    const plain: Query = { filter: query.filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    const plan = this.#plans.choose(coll, plain, isTrusted);
    if (plan?.residual.kind === 'all' && !plan.mayRepeat) {
      const entriesMax = documentsMax * ENTRIES_PER_DOCUMENT;
      const entries = this.#plans.entriesWithin(plan, entriesMax + 1);
      return entries > entriesMax ? undefined : entries;
    }
    const rowsMax = query.filter.kind === 'all' ? documentsMax * ROWS_PER_DOCUMENT : documentsMax;
    if (this.#plans.isLonger(coll, plain, plan, rowsMax)) return undefined;
    const { where, params, callsFunctions } = compileQuery(plain, this.#keepFilter);
    const asked: PlannedQuery = { coll, collection, query: plain, plan };
    let count = 0;
    for (const among of callsFunctions ? this.#parts(asked) : [amongEntries(plan)]) {
      const sql = `SELECT count(*) AS n FROM ${among.from} WHERE coll = ? AND value IS NOT NULL ${among.sql} ${this.#going} AND ${where}`;
      count += this.#statements.get(sql).get(coll, ...among.params, ...params)!.n as number;
    }
    return count;
  }

  explain(collection: CollectionName, query: Query, isTrusted: (id: number) => boolean): QueryPlan {
    const coll = this.#collections.knownId(collection);
    const plan = coll === undefined ? undefined : this.#plans.choose(coll, query, isTrusted);
    const isSorted = plan !== undefined && plan.order !== 'none';
    const sort = isSorted ? 'index' : query.sort.length === 0 ? 'none' : 'memory';
    if (plan === undefined) {
      const rows = this.#statements.get(`SELECT count(*) AS n FROM (SELECT 1 FROM doc WHERE coll = ? ${LIMITED})`);
      const estimatedRows = coll === undefined ? 0 : (rows.get(coll, LIMITS.estimatedRowsMax)!.n as number);
      return { index: null, range: null, ranges: 0, filtered: query.filter.kind !== 'all', sort, estimatedRows };
    }
    const { index, bounds, narrowed, residual } = plan;
    return {
      index: index.name,
      range: narrowed === 'nothing' || bounds[0] === undefined ? null : rangeText(bounds[0]),
      ranges: bounds.length,
      filtered: residual.kind !== 'all',
      sort,
      estimatedRows: this.#plans.entriesWithin(plan, LIMITS.estimatedRowsMax),
    };
  }

  #answer(asked: PlannedQuery, emit: Emit): void {
    if (isIndexed(asked) && !asked.plan.mayRepeat) this.#readEntries(asked, emit);
    else this.#scan(asked, emit);
  }

  /**
   * Reads rows, verified by their own digests. With a plan only those that entries lead to; each is checked against the whole
   * filter, so an entry that leads to a wrong row adds nothing.
   */
  #scan(asked: PlannedQuery, emit: Emit): void {
    const compiled = compileQuery(asked.query, this.#keepFilter);
    if (compiled.callsFunctions) this.#scanParts(asked, compiled)!.forEach(emit);
    else this.#select(asked, compiled, amongEntries(asked.plan), emit);
  }

  /** Undefined if `isLonger`, which is asked at most once, and only if the first documents do not suffice. */
  #scanParts(
    asked: PlannedQuery,
    compiled: CompiledQuery,
    isLonger: () => boolean = () => false,
  ): FoundDocument[] | undefined {
    const { query, plan } = asked;
    const first = new FirstOfOrder(query);
    let looked = 0;
    for (const part of this.#parts(asked)) {
      if (looked === TRIED_DOCUMENTS && isLonger()) return undefined;
      const found: FoundDocument[] = [];
      this.#select({ ...asked, query: first.query }, compiled, part, (document) => found.push(document));
      first.add(found);
      if (first.isComplete && plan === undefined && query.sort.length === 0) break;
      looked += PART_ROWS;
    }
    return first.result();
  }

  #select({ coll, query }: PlannedQuery, compiled: CompiledQuery, among: Among, emit: Emit): void {
    const { skip, limit } = query;
    const { where, orderBy, params } = compiled;
    const sql = `SELECT ${DOCUMENT_COLUMNS} FROM ${among.from}
      WHERE coll = ? AND value IS NOT NULL ${among.sql} ${this.#going} AND ${where} ORDER BY ${orderBy} ${LIMITED} OFFSET ?`;
    for (const row of this.#rows(sql, [coll, ...among.params, ...params, sqlLimit(limit), skip])) {
      const { key, value } = this.#documents.decoded(row);
      emit({ key, value: value! });
    }
  }

  /** Conditions that divide the rows to look at into small parts. */
  #parts({ coll, query, plan }: PlannedQuery): Generator<Among> {
    return plan === undefined ? this.#partsInKeyOrder(coll, query) : this.#partsOfPlan(plan);
  }

  *#partsOfPlan(plan: ChosenPlan): Generator<Among> {
    if (plan.bounds.length === 0) return;
    const { sql, params } = entriesOf(plan);
    const ids = this.#statements.get(`SELECT DISTINCT doc AS id FROM (${sql}) ORDER BY doc`).all(...params);
    for (let from = 0; from < ids.length; from += PART_ROWS) {
      const some = ids.slice(from, from + PART_ROWS).map(({ id }) => id);
      yield { from: BY_ROW, sql: 'AND id IN (SELECT value FROM json_each(?))', params: [JSON.stringify(some)] };
    }
  }

  *#partsInKeyOrder(coll: number, { sort, after: place }: Query): Generator<Among> {
    const last = this.#statements.get('SELECT key FROM doc WHERE coll = ? AND key > ? ORDER BY key LIMIT 1 OFFSET ?');
    // No key is empty, so every key is above the empty text.
    for (let after = sort.length === 0 && place !== undefined ? place.key : ''; ; ) {
      const upTo = last.get(coll, after, PART_ROWS - 1)?.key as string | undefined;
      if (upTo === undefined) return yield { from: 'doc', sql: 'AND key > ?', params: [after] };
      yield { from: 'doc', sql: 'AND key > ? AND key <= ?', params: [after, upTo] };
      after = upTo;
    }
  }

  /** Reads entries and their rows, one range after the other. Each row is verified by its entry. */
  #readEntries(asked: IndexedQuery, emit: Emit): void {
    const { query, plan } = asked;
    const isOrdered = plan.order !== 'none';
    const left = { ...query, filter: plan.residual, ...(isOrdered && { after: undefined, sort: [] }) };
    const rest = compileQuery(left, this.#keepFilter, 'd.value', 'd.key');
    if (rest.callsFunctions) return this.#readEntriesOneByOne(asked)!.forEach(emit);
    const read = (bound: Bound, skip: number, limit: number, each: Emit): void => {
      const { sql, params } = entriesSql(asked, bound, rest, this.#going);
      for (const row of this.#rows(sql, [...params, sqlLimit(limit), skip]))
        each(this.#verified(asked, row as EntryRow));
    };
    const { skip, limit } = query;
    if (plan.bounds.length === 1) return read(plan.bounds[0]!, skip, limit, emit);
    if (!isOrdered) {
      const first = new FirstOfOrder(query);
      for (const bound of plan.bounds) read(bound, 0, skip + limit, (document) => first.add([document]));
      return first.result().forEach(emit);
    }
    // Nobody knows how many documents each range would skip, so skipping is done here.
    let met = 0;
    for (const bound of plan.order === 'backward' ? [...plan.bounds].reverse() : plan.bounds) {
      if (met >= skip + limit) break;
      read(bound, 0, skip + limit - met, (document) => {
        if (met++ >= skip) emit(document);
      });
    }
  }

  /**
   * As `#readEntries`, but filters rows here instead of by functions in SQL, which would keep every row in memory. Undefined
   * if more than `rowsMax` rows must be read.
   */
  #readEntriesOneByOne(asked: IndexedQuery, rowsMax: number = Number.POSITIVE_INFINITY): FoundDocument[] | undefined {
    const { query, plan } = asked;
    const first = new FirstOfOrder(query);
    const isOrdered = plan.order !== 'none';
    const fits = toPredicate(plan.residual);
    const bounds = plan.order === 'backward' ? [...plan.bounds].reverse() : plan.bounds;
    let rowsMet = 0;
    for (const bound of bounds) {
      const { sql, params } = entriesSql(asked, bound, EVERY_ROW, this.#going);
      const rows = this.#statements.get(sql, true).iterate(...params, -1, 0);
      for (const row of rows as Iterable<unknown> as Iterable<EntryRow>) {
        if (rowsMet++ >= rowsMax) return undefined;
        const [, key, , text] = row;
        const value = text === null ? null : (JSON.parse(text) as JsonValue);
        // An entry without a row is passed on too, so that `#verified` reports it.
        const isWanted = value === null || (fits(value) && isAfterPlace(query, { key, value }));
        if (isWanted) first.add([this.#verified(asked, row)]);
        if (first.isComplete && isOrdered) return first.result();
      }
    }
    return first.result();
  }

  #verified({ collection, plan }: IndexedQuery, [hex, key, sum, value]: EntryRow): FoundDocument {
    if (value !== null && entrySum(hex, key, value) === sum) return { key: key as DocumentKey, value };
    // Throws if it is the row that is damaged.
    this.#documents.get(collection, key as DocumentKey);
    throw rottenIndex(collection, { id: plan.id, definition: plan.index });
  }

  /** Rows as arrays of columns. */
  #rows(sql: string, params: readonly SQLInputValue[]): Iterable<unknown> {
    const statement = this.#statements.get(sql, true);
    return this.#pulse === undefined ? statement.all(...params) : statement.iterate(...params);
  }

  /** A condition that calls the pulse for each row. */
  get #going(): string {
    return this.#pulse === undefined ? '' : 'AND entgldb_going()';
  }
}

/** Whether an index answers it. */
function isIndexed(asked: PlannedQuery): asked is IndexedQuery {
  return asked.plan !== undefined;
}

type EntryRow = readonly [hex: string, key: string, sum: number, value: string | null];

function rangeText({ from, to }: Bound): string {
  return `from [${keyText(from)}] to below [${to === undefined ? 'the end' : keyText(to)}]`;
}

/** Whether the document comes after `query.after`. If the order of the index has ensured that, this agrees. */
function isAfterPlace({ sort, after }: Query, document: { readonly key: string; readonly value: JsonValue }): boolean {
  return after === undefined || isAfter(sort, document, after);
}
