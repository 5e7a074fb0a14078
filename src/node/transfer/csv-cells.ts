import type { JsonValue } from '../../core/query/index.ts';

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const CONSTANTS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * The text of a field in a CSV cell, from which `valueOfCell` makes the same value again: texts as they are, everything else
 * as JSON; a text that would be read as something else is written as a JSON text, in quotes. Undefined: an empty cell.
 */
export function cellOf(value: JsonValue | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && valueOfCell(value) === value) return value;
  return JSON.stringify(value);
}

/**
 * The value of a cell: a number, `true`, `false`, `null`, an object, an array or a text in quotes as JSON writes it; else
 * the text itself. So `01234` and `1,5` stay texts, and so does a number that a JavaScript number does not hold. Undefined
 * where the cell is empty.
 */
export function valueOfCell(cell: string): JsonValue | undefined {
  if (cell === '') return undefined;
  const constant = CONSTANTS.get(cell);
  if (constant !== undefined) return constant;
  if (NUMBER.test(cell)) return isExactNumber(cell) ? Number(cell) : cell;
  return '{["'.includes(cell[0]!) ? parseOr(cell) : cell;
}

/** Article numbers of twenty digits are names, not quantities: what would be rounded stays a text. */
function isExactNumber(cell: string): boolean {
  const number = Number(cell);
  if (!Number.isFinite(number)) return false;
  // Beyond the safe ones, those that JavaScript spells so are what a document held.
  return !/^-?[0-9]+$/.test(cell) || Number.isSafeInteger(number) || String(number) === cell;
}

function parseOr(cell: string): JsonValue {
  try {
    return JSON.parse(cell) as JsonValue;
  } catch {
    // It only begins like JSON: a text in its own right.
    return cell;
  }
}
