import type { DocumentName, StoredDocument } from '../store.ts';
import { openReader } from './connection.ts';
import { guarded } from './sqlite-errors.ts';
import { Tables } from './tables.ts';

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
