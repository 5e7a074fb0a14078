import { PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { type IndexDefinition, indexEntries, type JsonValue } from '../../core/query/index.ts';
import type { LocalWrite } from '../replica/index.ts';

/**
 * Refuses documents that an index would hold under more than `entriesMax` keys, because entering and removing those holds up the event
 * loop: throws PERSISTENCE_ERROR / DOCUMENT_TOO_LARGE. What other nodes wrote, and what was there before the index, is entered in any case.
 */
export function checkEntries(
  collection: CollectionName,
  indexes: readonly IndexDefinition[],
  writes: readonly LocalWrite[],
  entriesMax: number,
): void {
  for (const { key, value } of writes) {
    // An item or a word takes at least one character of JSON.
    if (value === null || value.length <= entriesMax) continue;
    const document = JSON.parse(value) as JsonValue;
    for (const index of indexes) {
      const { length } = indexEntries(index, document);
      if (length > entriesMax) throw tooManyEntries(collection, key, index, length, entriesMax);
    }
  }
}

function tooManyEntries(
  collection: CollectionName,
  key: DocumentKey,
  { kind, name }: IndexDefinition,
  length: number,
  entriesMax: number,
): PersistenceError {
  const [document, where] = [key, collection].map((each) => JSON.stringify(each));
  return new PersistenceError(
    'DOCUMENT_TOO_LARGE',
    `document ${document} of ${where} has ${length} different ${kind} for the index ${JSON.stringify(name)}, at most ${entriesMax} are allowed (Limits.indexEntriesMax); write it in parts, or drop the index`,
    { details: { collection, key, index: name, entries: length, indexEntriesMax: entriesMax } },
  );
}
