import type { JsonArray, JsonObject, JsonValue } from './json.ts';
import type { Path } from './query.ts';

/** An index in a document of at most 1 MiB has no more than seven digits; SQLite's own index arithmetic wraps at 2^32. */
const INDEX = /^(?:0|[1-9][0-9]{0,6})$/;

/** Whether a step of a path can be an index of an array: 0, 1, 2 … without leading zeros. It can also name a member. */
export function isArrayIndex(step: string): boolean {
  return INDEX.test(step);
}

/** Whether a step of a path stands for the items of the array that it names: `items[]`. */
export function isItemsStep(step: string): boolean {
  return step.length > 2 && step.endsWith('[]');
}

export function isSamePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}

/**
 * The value at a path; undefined if there is none. A step names a member of an object or an index of an array. Only own
 * members count, so `__proto__` or `length` lead nowhere unless the document has them.
 */
export function readPath(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (isJsonArray(found)) found = isArrayIndex(step) ? found[Number(step)] : undefined;
    else found = Object.hasOwn(found, step) ? (found as JsonObject)[step] : undefined;
  }
  return found;
}

export function isJsonArray(value: JsonValue): value is JsonArray {
  return Array.isArray(value);
}

/**
 * The steps of a user's path such as `address.city` or `items.0.price`. The dot is the only syntax; every other character
 * belongs to a name. Throws a TypeError for anything that is not a text.
 */
export function parsePath(text: string): Path {
  if (typeof text !== 'string') throw new TypeError(`a path is a text like "address.city", not of type ${typeof text}`);
  return text.split('.');
}
