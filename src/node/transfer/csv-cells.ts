import type { JsonValue } from '../../core/query/index.ts';

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const CONSTANTS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * The text of a field in a CSV cell, from which `valueOfCell` restores the same value. Texts are written unchanged, everything
 * else as JSON. A text that would be read as something else is written as JSON too, in quotes. Undefined is an empty cell.
 */
export function cellOf(value: JsonValue | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && valueOfCell(value) === value) return value;
  return JSON.stringify(value);
}

/**
 * The value of a cell: if it is a number, `true`, `false`, `null`, an object, an array or a quoted text as JSON writes it, that
 * value; otherwise the text itself. So `01234` and `1,5` stay texts, as does a number that JavaScript cannot hold exactly.
 * Undefined for an empty cell.
 */
export function valueOfCell(cell: string): JsonValue | undefined {
  if (cell === '') return undefined;
  const constant = CONSTANTS.get(cell);
  if (constant !== undefined) return constant;
  if (NUMBER.test(cell)) return isExactNumber(cell) ? Number(cell) : cell;
  return '{["'.includes(cell[0]!) ? parseOr(cell) : cell;
}

/** False for a number that would be rounded: an article number of twenty digits is a name, not a quantity. */
function isExactNumber(cell: string): boolean {
  const number = Number(cell);
  if (!Number.isFinite(number)) return false;
  // Beyond the safe integers, a number that JavaScript prints the same way is what a document held.
  return !/^-?[0-9]+$/.test(cell) || Number.isSafeInteger(number) || String(number) === cell;
}

function parseOr(cell: string): JsonValue {
  try {
    return JSON.parse(cell) as JsonValue;
  } catch {
    // It only begins like JSON, so it is a text.
    return cell;
  }
}
