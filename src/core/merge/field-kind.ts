import { isJsonArray, type JsonObject, type JsonValue } from '../query/index.ts';

/**
 * How a value merges: a register as a whole; an object member by member; an array of objects with distinct ids as a map by
 * that id. An empty array counts as a map without items where another version has such a map, otherwise as a register. A
 * reference to a blob is a register: the size of one combined with the hash of another would be neither.
 */
export type FieldKind = 'register' | 'object' | 'items by id' | 'items by _id' | 'empty array';
export type ContainerKind = Exclude<FieldKind, 'register' | 'empty array'>;

export function kindOf(value: JsonValue): FieldKind {
  if (typeof value !== 'object' || value === null) return 'register';
  if (!isJsonArray(value)) return Object.hasOwn(value, '$blob') ? 'register' : 'object';
  if (value.length === 0) return 'empty array';
  if (hasDistinctIds(value, 'id')) return 'items by id';
  return hasDistinctIds(value, '_id') ? 'items by _id' : 'register';
}

export function isContainer(kind: FieldKind): kind is ContainerKind {
  return kind !== 'register' && kind !== 'empty array';
}

export function isItems(kind: FieldKind): kind is 'items by id' | 'items by _id' {
  return kind === 'items by id' || kind === 'items by _id';
}

/** The member that identifies an item. */
export function idNameOf(kind: 'items by id' | 'items by _id'): 'id' | '_id' {
  return kind === 'items by id' ? 'id' : '_id';
}

/** The members of an object by name, or the items of an array by id, in their order. */
export function membersOf(value: JsonValue, kind: ContainerKind): [name: string, member: JsonValue][] {
  if (kind === 'object') return Object.entries(value as JsonObject) as [string, JsonValue][];
  return (value as readonly JsonObject[]).map((item) => [String(item[idNameOf(kind)]), item]);
}

/** The value of a container with these members. */
export function valueOfMembers(kind: ContainerKind, members: Iterable<readonly [string, JsonValue]>): JsonValue {
  return kind === 'object' ? Object.fromEntries(members) : Array.from(members, ([, item]) => item);
}

function hasDistinctIds(items: readonly JsonValue[], name: 'id' | '_id'): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    if (!isObject(item)) return false;
    const id = Object.hasOwn(item, name) ? item[name] : undefined;
    if (typeof id !== 'string' && typeof id !== 'number') return false;
    // 1 and "1" have the same JSON pointer, so they are the same id.
    const text = String(id);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

function isObject(item: JsonValue): item is JsonObject {
  return typeof item === 'object' && item !== null && !isJsonArray(item);
}
