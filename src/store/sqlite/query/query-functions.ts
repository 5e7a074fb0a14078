import type { DatabaseSync } from 'node:sqlite';
import {
  canonicalJson,
  type Filter,
  isAfter,
  type JsonValue,
  type Path,
  type Predicate,
  readPath,
  type SortField,
  toPredicate,
} from '../../../core/query/index.ts';

/** The argument of entgldb_after, made by `placeText`. */
interface Place {
  readonly sort: readonly SortField[];
  readonly values: readonly (readonly JsonValue[])[];
  readonly key: string;
}

/** Filters that are kept. One statement uses at most as many as it has comparisons. The oldest is forgotten first. */
const FILTERS_MAX = 256;

/** Keeps a filter for `entgldb_matches` in the next statement; returns the number that stands for it. */
export type KeepFilter = (filter: Filter) => number;

/**
 * Registers what queries need beyond SQLite's JSON functions, on every connection that runs them: entgldb_type,
 * entgldb_extract and entgldb_canonical, each of (JSON text, path as a JSON array of texts), entgldb_matches of (JSON text,
 * number of a filter) and entgldb_after of (JSON text, key, place). With a `pulse`, entgldb_going() calls it and is true.
 *
 * The arguments of a function stay in memory until SQLite returns a row or ends the statement, so a statement that calls
 * functions may only look at a bounded number of rows.
 */
export function registerQueryFunctions(db: DatabaseSync, pulse?: () => void): KeepFilter {
  if (pulse !== undefined) registerPulse(db, pulse);
  const parseDocument = rememberLast((text) => JSON.parse(text) as JsonValue);
  const parsePath = rememberLast((text) => JSON.parse(text) as Path);
  const register = (name: string, answer: (found: JsonValue) => string | number | null): void => {
    db.function(name, { deterministic: true }, (text, path) => {
      if (typeof text !== 'string' || typeof path !== 'string') return null;
      const found = readPath(parseDocument(text), parsePath(path));
      return found === undefined ? null : answer(found);
    });
  };
  register('entgldb_type', typeName);
  register('entgldb_extract', (found) => (typeof found === 'number' || typeof found === 'string' ? found : null));
  register('entgldb_canonical', canonicalJson);
  const predicates = new Map<number, Predicate>();
  db.function('entgldb_matches', (text, filter) => {
    if (typeof text !== 'string' || typeof filter !== 'number') return 0;
    return predicates.get(filter)!(parseDocument(text)) ? 1 : 0;
  });
  const parsePlace = rememberLast((text) => JSON.parse(text) as Place);
  db.function('entgldb_after', { deterministic: true }, (text, key, at) => {
    if (typeof text !== 'string' || typeof key !== 'string' || typeof at !== 'string') return 0;
    const { sort, values, key: placeKey } = parsePlace(at);
    const place = { values: values.map(([value]) => value), key: placeKey };
    return isAfter(sort, { key, value: parseDocument(text) }, place) ? 1 : 0;
  });
  let kept = 0;
  return (filter) => {
    predicates.set(++kept, toPredicate(filter));
    predicates.delete(kept - FILTERS_MAX);
    return kept;
  };
}

/** The function is not declared deterministic, so that SQLite calls it for each row. */
function registerPulse(db: DatabaseSync, pulse: () => void): void {
  db.function('entgldb_going', () => {
    pulse();
    return 1;
  });
}

/** The name that json_type gives, except that all numbers are 'real'. */
function typeName(found: JsonValue): string {
  switch (typeof found) {
    case 'number':
      return 'real';
    case 'string':
      return 'text';
    case 'boolean':
      return String(found);
    default:
      return found === null ? 'null' : Array.isArray(found) ? 'array' : 'object';
  }
}

/** Caches the last result: functions are called several times in a row with the same text. */
function rememberLast<T>(parse: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly parsed: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, parsed: parse(text) };
    return last.parsed;
  };
}
