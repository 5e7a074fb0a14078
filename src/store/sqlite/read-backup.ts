import type { ReplicaId } from '../../core/ids/index.ts';
import type { DocumentName, StoredDocument } from '../store.ts';
import { openReader } from './connection.ts';
import { guarded } from './sqlite-errors.ts';
import { Tables } from './tables.ts';

/**
 * The replica id in the head of a database file that nobody has open, and one text of the engine in its metadata. Undefined if it holds nothing
 * yet. The file is not changed. Throws DATABASE_CORRUPT or IO_FAILED, as reading does.
 */
export function readBackupHead(
  path: string,
  metaName: string,
): { readonly replica: ReplicaId; readonly meta: string | undefined } | undefined {
  return guarded(path, () => {
    const db = openReader(path);
    try {
      const { state, meta } = new Tables(db, { chainLengthMax: 0, goneLogMax: 0 });
      const head = state.head();
      return head && { replica: head.replica, meta: meta.getEngine(metaName) };
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
