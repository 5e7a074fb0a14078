import { PersistenceError } from '../errors/index.ts';

/** The operand that each operator wants, for messages. */
export const FIELD_OPERATORS = {
  $eq: 'any JSON value',
  $ne: 'any JSON value',
  $gt: 'a number, text or boolean',
  $gte: 'a number, text or boolean',
  $lt: 'a number, text or boolean',
  $lte: 'a number, text or boolean',
  $in: 'an array of JSON values',
  $nin: 'an array of JSON values',
  $exists: 'true or false',
  $not: 'an object of operators',
  $contains: 'any JSON value',
  $startsWith: 'a text',
  $endsWith: 'a text',
  $size: 'an integer from 0',
  $all: 'a non-empty array of JSON values',
  $elemMatch: 'a filter, or an object of operators',
  $regex: 'a pattern as a text, or a RegExp',
  $options: 'the flags of the $regex beside it: i, m, s',
  $text: 'words as a text',
} as const;

export const TOP_OPERATORS = {
  $and: 'a non-empty array of filters',
  $or: 'a non-empty array of filters',
  $not: 'a filter',
  $text: 'an object such as { on: ["title", "body"], words: "red sock*" }',
} as const;

/** Makes a PERSISTENCE_ERROR / INVALID_FILTER. The message says what is wrong, at which path, and what is allowed. */
export function invalidFilter(message: string, details: Readonly<Record<string, unknown>> = {}): PersistenceError {
  return new PersistenceError('INVALID_FILTER', message, { details });
}

export function unknownOperator(
  operator: string,
  path: string | undefined,
  known: readonly string[],
): PersistenceError {
  const nearest = nearestOperator(operator, known);
  const hint = nearest === undefined ? '.' : `; did you mean ${nearest}?`;
  return invalidFilter(
    `the filter has the unknown operator ${shorten(operator)}${at(path)}${hint} Allowed here: ${known.join(' ')}`,
    { operator, path, allowed: known },
  );
}

export function wrongOperand(
  operator: string,
  path: string | undefined,
  wanted: string,
  given: unknown,
): PersistenceError {
  return invalidFilter(`the filter's ${operator}${at(path)} wants ${wanted}, not ${describe(given)}`, {
    operator,
    path,
    wanted,
  });
}

/** ` at "path"`, or an empty text at the top level. */
export function at(path: string | undefined): string {
  return path === undefined || path === '' ? '' : ` at ${shorten(path)}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function describe(given: unknown): string {
  if (given === null || given === undefined || typeof given === 'number' || typeof given === 'boolean')
    return String(given);
  if (Array.isArray(given)) return given.length === 0 ? 'an empty array' : 'an array';
  if (typeof given === 'string') return 'a text';
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`;
}

const NEAR_EDITS_MAX = 2;

/** The known operator within two edits that needs the fewest; of equal ones, a prefix of the given one. The `$` may be missing. */
function nearestOperator(operator: string, known: readonly string[]): string | undefined {
  const asked = `$${operator.replace(/^\$/, '').toLowerCase()}`;
  if (asked.length > 12) return undefined;
  const near = known
    .map((name) => ({ name, edits: editsBetween(asked, name), begins: asked.startsWith(name) ? 0 : 1 }))
    .sort((a, b) => a.edits - b.edits || a.begins - b.begins)[0];
  return near !== undefined && near.edits <= NEAR_EDITS_MAX ? near.name : undefined;
}

/** Levenshtein distance, row by row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
