import { compareBytes } from '../ids/index.ts';
import type { JsonValue } from './json.ts';
import { readPath } from './path.ts';
import type { SortField, SortPlace } from './query.ts';

export const TYPE_RANK = { missing: 0, null: 1, boolean: 2, number: 3, text: 4, rest: 5 } as const;

/** Position of a value's type in the sort order. */
export function typeRank(value: JsonValue | undefined): number {
  switch (typeof value) {
    case 'undefined':
      return TYPE_RANK.missing;
    case 'boolean':
      return TYPE_RANK.boolean;
    case 'number':
      return TYPE_RANK.number;
    case 'string':
      return TYPE_RANK.text;
    default:
      return value === null ? TYPE_RANK.null : TYPE_RANK.rest;
  }
}

/**
 * The sort order: missing < null < false < true < numbers < texts (by UTF-8 bytes) < arrays and objects, all of which
 * compare as equal.
 */
export function compareValues(a: JsonValue | undefined, b: JsonValue | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a < b ? -1 : 1;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return typeRank(a) - typeRank(b);
}

/** A document to be sorted: its parsed value and its key. */
export interface SortableDocument {
  readonly key: string;
  readonly value: JsonValue;
}

/** Compares documents by the fields of a sort; if those are equal, by key in byte order. */
export function compareBySort(sort: readonly SortField[]): (a: SortableDocument, b: SortableDocument) => number {
  return (a, b) => {
    for (const { path, descending } of sort) {
      const order = compareValues(readPath(a.value, path), readPath(b.value, path));
      if (order !== 0) return descending ? -order : order;
    }
    return compareBytes(a.key, b.key);
  };
}

/** Whether a document comes after a place in the given sort order. */
export function isAfter(sort: readonly SortField[], document: SortableDocument, place: SortPlace): boolean {
  for (const [i, { path, descending }] of sort.entries()) {
    const order = compareValues(readPath(document.value, path), place.values[i]);
    if (order !== 0) return descending ? order < 0 : order > 0;
  }
  return compareBytes(document.key, place.key) > 0;
}
