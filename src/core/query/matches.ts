import { canonicalJson } from './canonical-json.ts';
import { compareValues, TYPE_RANK, typeRank } from './compare-values.ts';
import type { JsonArray, JsonValue } from './json.ts';
import { isJsonArray, readPath } from './path.ts';
import type { Filter, Path, Scalar } from './query.ts';
import { matchesRegex } from './regex/index.ts';
import { hasWord, wordsIn } from './words.ts';

/** Whether a document fits a filter. This defines what filters mean: stores must agree with it exactly. */
export function matches(filter: Filter, value: JsonValue): boolean {
  switch (filter.kind) {
    case 'all':
      return true;
    case 'and':
      return filter.filters.every((part) => matches(part, value));
    case 'or':
      return filter.filters.some((part) => matches(part, value));
    case 'not':
      return !matches(filter.filter, value);
    case 'exists':
      return readPath(value, filter.path) !== undefined;
    case 'eq':
      return isEqual(readPath(value, filter.path), filter.value as JsonValue);
    case 'in': {
      const found = readPath(value, filter.path);
      return filter.values.some((operand) => isEqual(found, operand as JsonValue));
    }
    case 'elem': {
      const items = readPath(value, filter.path);
      return isArray(items) && items.some((item) => matches(filter.filter, item));
    }
    case 'contains':
      return contains(readPath(value, filter.path), filter.value as JsonValue);
    case 'starts':
      return textAt(value, filter.path)?.startsWith(filter.value) ?? false;
    case 'ends':
      return textAt(value, filter.path)?.endsWith(filter.value) ?? false;
    case 'size': {
      const items = readPath(value, filter.path);
      return isArray(items) && items.length === filter.value;
    }
    case 'regex': {
      const text = textAt(value, filter.path);
      return text !== undefined && matchesRegex(filter.program, text);
    }
    case 'words': {
      const words = filter.paths.map((path) => wordsIn(readPath(value, path)));
      return filter.words.every((word) => words.some((held) => hasWord(held, word)));
    }
    default:
      return isInRange(filter.kind, readPath(value, filter.path), filter.value);
  }
}

function contains(found: JsonValue | undefined, operand: JsonValue): boolean {
  if (typeof found === 'string') return typeof operand === 'string' && found.includes(operand);
  return isArray(found) && found.some((item) => isEqual(item, operand));
}

function isArray(found: JsonValue | undefined): found is JsonArray {
  return typeof found === 'object' && found !== null && isJsonArray(found);
}

function textAt(value: JsonValue, path: Path): string | undefined {
  const found = readPath(value, path);
  return typeof found === 'string' ? found : undefined;
}

/** Same type and same value, with members of objects in any order. */
function isEqual(found: JsonValue | undefined, operand: JsonValue): boolean {
  if (found === undefined || typeof found !== 'object' || found === null) return found === operand;
  if (typeRank(operand) !== TYPE_RANK.rest || Array.isArray(found) !== Array.isArray(operand)) return false;
  return canonicalJson(found) === canonicalJson(operand);
}

function isInRange(kind: 'gt' | 'gte' | 'lt' | 'lte', found: JsonValue | undefined, operand: Scalar): boolean {
  if (typeRank(found) !== typeRank(operand)) return false;
  const order = compareValues(found, operand);
  switch (kind) {
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
  }
}
