import type { JsonArray, JsonObject, JsonValue } from './json.ts';
import type { Path } from './query.ts';

/** Documents of at most 1 MiB have no array longer than seven digits; SQLite's own index arithmetic wraps at 2^32. */
const INDEX = /^(?:0|[1-9][0-9]{0,6})$/;

/** Whether a step of a path can name an item of an array: 0, 1, 2 … without leading zeros. It can name a member too. */
export function isArrayIndex(step: string): boolean {
  return INDEX.test(step);
}

/** Whether a step of a path means each item of the array that it names: `items[]`. */
export function isItemsStep(step: string): boolean {
  return step.length > 2 && step.endsWith('[]');
}

export function isSamePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}

/**
 * What a path leads to; undefined where there is nothing. A step into an object names a member, into an array an index;
 * only own members count, so `__proto__` or `length` lead nowhere unless the document has them.
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
 * The steps of a user's path: `address.city` and `items.0.price` are the only syntax, every other sign is a name's own. Throws TypeError
 * for what is no text.
 */
export function parsePath(text: string): Path {
  if (typeof text !== 'string') throw new TypeError(`a path is a text like "address.city", not of type ${typeof text}`);
  return text.split('.');
}
