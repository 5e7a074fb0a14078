import { DatabaseCorruptionError, isEntglDbError, PersistenceError } from '../core/errors/index.ts';
import type { DocumentName } from './store.ts';

export function closedError(): PersistenceError {
  return new PersistenceError('DATABASE_CLOSED', 'the database is closed; open it again');
}

/** For a commit made after a failed flush and before the `load` that must follow it. */
export function lostCommitsError(): PersistenceError {
  return new PersistenceError(
    'IO_FAILED',
    'the disk lost the latest commits and the database is being read again; write once more',
  );
}

export function documentCorruptError(collection: string, key: string, cause?: unknown): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `document ${JSON.stringify(key)} in collection ${JSON.stringify(collection)} is damaged on disk; ` +
      'it is fetched again from a peer, or restore a backup',
    { reason: 'DOCUMENT_CORRUPT', details: { collection, key }, cause },
  );
}

/** The document that an error of `documentCorruptError` is about; undefined for any other error. */
export function damagedDocument(error: unknown): DocumentName | undefined {
  if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) return undefined;
  const { collection, key } = error.details as Partial<DocumentName>;
  return collection === undefined || key === undefined ? undefined : { collection, key };
}
