import { PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import {
  canonicalJson,
  type Filter,
  type IndexDefinition,
  type JsonValue,
  matches,
  type Path,
  readPath,
} from '../../core/query/index.ts';
import type { Store } from '../../store/index.ts';
import type { LocalWrite } from '../replica/index.ts';

/**
 * Refuses writes that would give two documents on this node the same values under a unique index: throws PERSISTENCE_ERROR /
 * UNIQUE_VIOLATION with the key of the other document. Other nodes are not asked, and their writes are applied in any case. A
 * document that they made equal to another one can be written as long as it keeps these values. Documents that have none of the
 * values never collide.
 */
export function checkUnique(
  store: Store,
  collection: CollectionName,
  indexes: readonly IndexDefinition[],
  writes: readonly LocalWrite[],
): void {
  const last = new Map(writes.map(({ key, value }) => [key, value]));
  for (const index of indexes) {
    const taken = new Map<string, DocumentKey>();
    for (const [key, value] of last) {
      const found = valuesIn(index, value);
      if (found === undefined) continue;
      const text = textOf(found);
      const other = taken.get(text) ?? holderOf(store, collection, index, found, last);
      const isNew = (of: DocumentKey): boolean => {
        const before = valuesIn(index, store.get(collection, of)?.value ?? null);
        return before === undefined || textOf(before) !== text;
      };
      if (other !== undefined && (isNew(key) || (last.has(other) && isNew(other))))
        throw violation(collection, index, key, other);
      taken.set(text, key);
    }
  }
}

/** The values of a document under an index; undefined if the document does not exist, or is not in the index. */
function valuesIn({ paths, where }: IndexDefinition, document: string | null): (JsonValue | undefined)[] | undefined {
  if (document === null) return undefined;
  const value = JSON.parse(document) as JsonValue;
  if (!matches(where, value)) return undefined;
  const values = paths.map((path) => readPath(value, path));
  return values.every((each) => each === undefined) ? undefined : values;
}

function textOf(values: readonly (JsonValue | undefined)[]): string {
  return canonicalJson(values.map((each) => (each === undefined ? [] : [each])));
}

/** The key of a stored document with these values that the writes do not change. */
function holderOf(
  store: Store,
  collection: CollectionName,
  { paths, where }: IndexDefinition,
  values: readonly (JsonValue | undefined)[],
  writes: ReadonlyMap<DocumentKey, unknown>,
): DocumentKey | undefined {
  const filters = [where, ...paths.map((path, i) => holds(path, values[i]))];
  const query = { filter: { kind: 'and', filters } as Filter, sort: [], skip: 0, limit: writes.size + 1 };
  return store.find(collection, query).find(({ key }) => !writes.has(key))?.key;
}

function holds(path: Path, value: JsonValue | undefined): Filter {
  return value === undefined ? { kind: 'not', filter: { kind: 'exists', path } } : { kind: 'eq', path, value };
}

function violation(collection: string, { name }: IndexDefinition, key: string, other: string): PersistenceError {
  const names = [key, other].map((each) => JSON.stringify(each)).join(' and ');
  return new PersistenceError(
    'UNIQUE_VIOLATION',
    `documents ${names} of collection ${JSON.stringify(collection)} would be equal under its unique index ${JSON.stringify(name)}`,
    { details: { collection, index: name, key, other } },
  );
}
