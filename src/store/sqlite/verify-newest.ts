import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { DocumentName } from '../store.ts';
import { type RottenIndexError, rottenIndex } from './query/index.ts';
import { areLastRowsIndexed } from './tables/index.ts';
import type { Tables } from './tables.ts';

interface VerifyOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for an index that does not hold one of the documents as it is. */
  readonly onRottenIndex: (error: RottenIndexError) => void;
}

/** How many of the newest documents are verified at open, and for how long at most. */
const VERIFIED_MAX = 1000;
const VERIFY_MS_MAX = 50;

/**
 * A crash or a bad disk most likely damages what was written last. Returns those of the newest documents that cannot be
 * read. If an index of SQLite does not lead to one of them, all those indexes are rebuilt from the rows.
 */
export function verifyNewest(
  db: DatabaseSync,
  { documents, indexWork }: Tables,
  options: VerifyOptions,
): DocumentName[] {
  const { clock, logger, path, onRottenIndex } = options;
  const end = clock.monotonic() + VERIFY_MS_MAX;
  const damaged: DocumentName[] = [];
  const rebuild = (): void => {
    // A rotten page of an index looks like one with fewer entries.
    logger.fatal({ path }, 'an index is damaged; all are built anew');
    db.exec('REINDEX');
  };
  let isRebuilt = !areLastRowsIndexed(db, documents);
  if (isRebuilt) rebuild();
  for (const { pos, ...name } of documents.newestKeys(VERIFIED_MAX)) {
    if (clock.monotonic() > end) break;
    try {
      const document = documents.get(name.collection, name.key);
      const isFound = document !== undefined;
      if (isFound) for (const index of indexWork.lacking(document)) onRottenIndex(rottenIndex(name.collection, index));
      // A row with a damaged key throws here; if the row is sound, an index does not lead to it.
      if (isFound || isRebuilt || documents.changes(pos - 1, 1).length === 0) continue;
      rebuild();
      isRebuilt = true;
    } catch (error) {
      if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) throw error;
      logger.fatal({ path, ...name }, 'a document is damaged');
      damaged.push(name);
    }
  }
  return damaged;
}
