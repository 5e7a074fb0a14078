import {
  canonicalJson,
  type Filter,
  isSamePath,
  type JsonValue,
  type Path,
  type Query,
  type Scalar,
  type SortPlace,
} from '../../../core/query/index.ts';
import { type PathSql, pathToSql } from './json-path-sql.ts';
import type { KeepFilter } from './query-functions.ts';

/** Parts of a SELECT over a column of JSON texts. Its connection needs `registerQueryFunctions`. */
export interface CompiledQuery {
  /** A condition that is true for what `matches` accepts, and false or NULL otherwise. It does not exclude rows without a value. */
  readonly where: string;
  /** Never empty; ends with the key. Contains no parameters. */
  readonly orderBy: string;
  /** Whether it calls functions of ours, which keep in memory the documents of all rows that one statement looks at. */
  readonly callsFunctions: boolean;
  /** Values for the `?` in `where`, in their order. */
  readonly params: readonly (string | number)[];
}

/**
 * Compiles a query so that SQLite finds exactly what `matches` and `compareBySort` define. Operands are bound as parameters.
 * Names are quoted if SQLite's path syntax can express them, and otherwise passed to functions of ours.
 */
export function compileQuery(
  query: Query,
  keepFilter: KeepFilter,
  valueColumn = 'value',
  keyColumn = 'key',
): CompiledQuery {
  const params: (string | number)[] = [];
  const compiler = new FilterCompiler(valueColumn, params, keepFilter);
  let fits = compiler.filter(query.filter);
  const order = query.sort.flatMap(({ path, descending }) =>
    sortTerms(path, valueColumn, isOneType(query.filter, path)).map((term) => (descending ? `${term} DESC` : term)),
  );
  const orderBy = [...order, keyColumn].join(',');
  const isSortedPlace = query.after !== undefined && query.sort.length > 0;
  const isByFunctions = isSortedPlace || callsFunctions(fits) || callsFunctions(orderBy);
  // The statement is run for a few rows at a time, and long lists would be bound again each time.
  if (isByFunctions && params.length > COMPARISONS_MAX) {
    params.length = 0;
    fits = compiler.byFunction(query.filter);
  }
  const where = query.after === undefined ? fits : `${fits} AND ${after(query, query.after)}`;
  return { where, orderBy, callsFunctions: isByFunctions, params };

  function after({ sort }: Query, place: SortPlace): string {
    params.push(sort.length === 0 ? place.key : placeText(query, place));
    return sort.length === 0 ? `${keyColumn} > ?` : `entgldb_after(${valueColumn},${keyColumn},?)`;
  }
}

/** A user's name that contains `entgldb_` is mistaken for a call, which does no harm. */
function callsFunctions(sql: string): boolean {
  return sql.includes('entgldb_');
}

/** A place in a sort order, as `entgldb_after` reads it. Values are wrapped in arrays because JSON has no undefined. */
function placeText({ sort }: Query, { values, key }: SortPlace): string {
  return JSON.stringify({ sort, values: values.map((value) => (value === undefined ? [] : [value])), key });
}

/** With more comparisons our function is faster: it parses the row once, whereas SQLite does so for each path. */
const COMPARISONS_MAX = 64;

function comparisonsIn(filter: Filter): number {
  if (filter.kind === 'not') return comparisonsIn(filter.filter);
  // Numbers and texts form one list each; every other value is compared by itself.
  if (filter.kind === 'in') return 1 + filter.values.filter((value) => typeof value === 'object').length;
  if (filter.kind !== 'and' && filter.kind !== 'or') return 1;
  return filter.filters.reduce((sum, part) => sum + comparisonsIn(part), 0);
}

const NUMBER_TYPES = "('integer','real')";
const FALSE = '0';

/**
 * A comparison with a missing value is NULL in SQL, and false for us. AND and OR treat NULL like false; only negation would
 * not, hence IS NOT TRUE instead of NOT.
 */
class FilterCompiler {
  readonly #column: string;
  readonly #params: (string | number)[];
  readonly #keepFilter: KeepFilter;

  constructor(column: string, params: (string | number)[], keepFilter: KeepFilter) {
    this.#keepFilter = keepFilter;
    this.#column = column;
    this.#params = params;
  }

  filter(filter: Filter): string {
    return comparisonsIn(filter) > COMPARISONS_MAX ? this.byFunction(filter) : this.#bySql(filter);
  }

  byFunction(filter: Filter): string {
    return `entgldb_matches(${this.#column},${this.#bind(this.#keepFilter(filter))})`;
  }

  #bySql(filter: Filter): string {
    switch (filter.kind) {
      case 'all':
        return '1';
      case 'and':
        return balanced(
          filter.filters.map((part) => this.filter(part)),
          ' AND ',
          '1',
        );
      case 'or':
        return balanced(
          filter.filters.map((part) => this.filter(part)),
          ' OR ',
          FALSE,
        );
      case 'not':
        return `(${this.filter(filter.filter)} IS NOT TRUE)`;
      case 'exists':
        return `(${this.#path(filter.path).type} IS NOT NULL)`;
      case 'eq':
        return this.#equal(this.#path(filter.path), filter.value as JsonValue);
      case 'in':
        return this.#in(this.#path(filter.path), filter.values as readonly JsonValue[]);
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return this.#range(filter.kind, this.#path(filter.path), filter.value);
      default:
        return this.byFunction(filter);
    }
  }

  #path(path: Path): PathSql {
    return pathToSql(path, this.#column);
  }

  #equal(at: PathSql, value: JsonValue): string {
    if (typeof value === 'number')
      return `(${at.extract}=${this.#number(at, value)} AND ${at.type} IN ${NUMBER_TYPES})`;
    if (typeof value === 'string') return `(${at.extract}=${this.#bind(value)} AND ${at.type}='text')`;
    if (typeof value === 'boolean' || value === null) return `(${at.type}='${value}')`;
    const type = Array.isArray(value) ? 'array' : 'object';
    return `(${at.type}='${type}' AND ${at.canonical}=${this.#bind(canonicalJson(value))})`;
  }

  #in(at: PathSql, values: readonly JsonValue[]): string {
    const parts: string[] = [];
    const numbers = values.filter((value) => typeof value === 'number');
    const texts = values.filter((value) => typeof value === 'string');
    if (numbers.length > 0) {
      const list = numbers.map((value) => this.#number(at, value)).join(',');
      parts.push(`(${at.extract} IN (${list}) AND ${at.type} IN ${NUMBER_TYPES})`);
    }
    if (texts.length > 0) {
      const list = texts.map((value) => this.#bind(value)).join(',');
      parts.push(`(${at.extract} IN (${list}) AND ${at.type}='text')`);
    }
    for (const value of values) {
      if (typeof value !== 'number' && typeof value !== 'string') parts.push(this.#equal(at, value));
    }
    return balanced(parts, ' OR ', FALSE);
  }

  #range(kind: keyof typeof SIGNS, at: PathSql, value: Scalar): string {
    const sign = SIGNS[kind];
    if (typeof value === 'number')
      return `(${at.extract}${sign}${this.#number(at, value)} AND ${at.type} IN ${NUMBER_TYPES})`;
    if (typeof value === 'string') return `(${at.extract}${sign}${this.#bind(value)} AND ${at.type}='text')`;
    const types = (value === null ? [null] : [false, true]).filter((found) =>
      isInRange(kind, Number(found), Number(value)),
    );
    return balanced(
      types.map((found) => `(${at.type}='${found}')`),
      ' OR ',
      FALSE,
    );
  }

  /**
   * node:sqlite binds numbers as doubles. SQLite reads an integer between 2^53 and 2^63 in JSON by its digits, as ECMAScript
   * wrote them, which need not be the exact value of the double. Such operands are therefore written as digits too.
   */
  #number(at: PathSql, value: number): string {
    const isDigits =
      at.isNative && Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 2 ** 63;
    return isDigits ? String(value) : this.#bind(value);
  }

  #bind(value: string | number): string {
    this.#params.push(value);
    return '?';
  }
}

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function isInRange(kind: keyof typeof SIGNS, found: number, operand: number): boolean {
  if (found === operand) return kind === 'gte' || kind === 'lte';
  return found > operand ? kind === 'gt' || kind === 'gte' : kind === 'lt' || kind === 'lte';
}

/** Joins conditions as a balanced tree: SQLite refuses expressions more than 1,000 levels deep. */
function balanced(parts: readonly string[], joint: ' AND ' | ' OR ', empty: string): string {
  if (parts.length === 0) return empty;
  if (parts.length === 1) return parts[0]!;
  const half = parts.length >> 1;
  return `(${balanced(parts.slice(0, half), joint, empty)}${joint}${balanced(parts.slice(half), joint, empty)})`;
}

/** Terms of ORDER BY: just the value if all found values have one type, otherwise the type's rank before it. */
function sortTerms(path: Path, column: string, oneType: boolean): readonly string[] {
  const { type, extract } = pathToSql(path, column);
  if (oneType) return [extract];
  const rank = `CASE ${type} WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 WHEN 'integer' THEN 4 WHEN 'real' THEN 4 WHEN 'text' THEN 5 WHEN 'object' THEN 6 WHEN 'array' THEN 6 ELSE 0 END`;
  return [rank, `CASE WHEN ${type} IN ('integer','real','text') THEN ${extract} END`];
}

/** Whether every document that fits has a number, or every one a text, at this path. */
function isOneType(filter: Filter, path: Path): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.some((part) => isOneType(part, path));
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return (typeof filter.value === 'number' || typeof filter.value === 'string') && isSamePath(filter.path, path);
    default:
      return false;
  }
}
