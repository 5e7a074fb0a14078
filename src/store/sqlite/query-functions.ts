import type { DatabaseSync } from 'node:sqlite';
import { canonicalJson, type JsonValue, type Path, readPath } from '../../core/query/index.ts';

/**
 * Registers what queries need beyond SQLite's JSON functions, on every connection that runs them: entgldb_type,
 * entgldb_extract and entgldb_canonical, each of (JSON text, path as a JSON array of texts).
 */
export function registerQueryFunctions(db: DatabaseSync): void {
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
}

/** As json_type names it; all numbers are 'real'. */
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

/** One row is asked several times in a row, always for the same text. */
function rememberLast<T>(parse: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly parsed: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, parsed: parse(text) };
    return last.parsed;
  };
}
