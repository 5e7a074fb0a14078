import {
  isArrayIndex,
  isJsonArray,
  type JsonObject,
  type JsonValue,
  type Path,
  toPath,
} from '../../core/query/index.ts';

type Members = { [name: string]: JsonValue };

/**
 * The parts of a document at the given paths, in the same structure; missing ones are left out. An item of an array becomes
 * a member named by its index: `items.0.price` gives `{ items: { 0: { price } } }`.
 */
export function project(value: unknown, paths: readonly Path[]): JsonObject {
  const kept: Members = {};
  for (const path of paths) copy(value, kept, path);
  return kept;
}

/** The same with paths as text. Throws INVALID_FILTER for a path that is too long. */
export function projectDocument(value: unknown, fields: readonly string[]): JsonObject {
  return project(value, fields.map(toPath));
}

function copy(from: unknown, to: Members, [step, ...rest]: Path): void {
  if (step === undefined || typeof from !== 'object' || from === null || !leadsOn(from, step)) return;
  const found = (from as Members)[step]!;
  if (rest.length === 0) define(to, step, found);
  else if (typeof found === 'object' && found !== null) {
    const held = Object.hasOwn(to, step) ? to[step] : undefined;
    const within: Members = typeof held === 'object' && held !== null && held !== found ? (held as Members) : {};
    if (held === found) return;
    copy(found, within, rest);
    if (Object.keys(within).length > 0) define(to, step, within);
  }
}

function leadsOn(from: object, step: string): boolean {
  return isJsonArray(from as JsonValue)
    ? isArrayIndex(step) && Number(step) < (from as []).length
    : Object.hasOwn(from, step);
}

/** An assignment to `__proto__` would not create a member. */
function define(to: Members, name: string, value: JsonValue): void {
  Object.defineProperty(to, name, { value, enumerable: true, configurable: true, writable: true });
}
