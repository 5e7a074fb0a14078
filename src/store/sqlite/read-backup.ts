import type { DocumentName, Head, StoredDocument } from '../store.ts';
import { openReader } from './connection.ts';
import { guarded } from './sqlite-errors.ts';
import { Tables } from './tables.ts';

/**
 * The head of a database file that nobody has open, and texts of the engine in its metadata. Undefined if it holds nothing yet.
 * The file is not changed. Throws DATABASE_CORRUPT or IO_FAILED, as reading does.
 */
export function readBackupHead<Name extends string>(
  path: string,
  names: readonly Name[],
): { readonly head: Head; readonly meta: Readonly<Record<Name, string | undefined>> } | undefined {
  return guarded(path, () => {
    const db = openReader(path);
    try {
      const { state, meta } = new Tables(db, { chainLengthMax: 0, goneLogMax: 0 });
      const head = state.head();
      const texts = names.map((name) => [name, meta.getEngine(name)]);
      return head && { head, meta: Object.fromEntries(texts) };
    } finally {
      db.close();
    }
  });
}

/**
 * Reads documents from a database file that nobody has open, such as a backup. Those that it does not hold are left out.
 * The file is not changed. Throws DOCUMENT_CORRUPT, DATABASE_CORRUPT or IO_FAILED, as reading does.
 */
export function readBackupDocuments(path: string, names: Iterable<DocumentName>): StoredDocument[] {
  return guarded(path, () => {
    const db = openReader(path);
    try {
      const { documents } = new Tables(db, { chainLengthMax: 0, goneLogMax: 0 });
      return [...names].flatMap(({ collection, key }) => documents.get(collection, key) ?? []);
    } finally {
      db.close();
    }
  });
}
