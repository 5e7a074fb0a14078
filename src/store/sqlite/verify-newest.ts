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
  /** Told of an index that does not hold one of them as it is. */
  readonly onRottenIndex: (error: RottenIndexError) => void;
}

/** Newest documents verified at open, and for how long at most. */
const VERIFIED_MAX = 1000;
const VERIFY_MS_MAX = 50;

/**
 * What a crash or a bad disk damages first is what was written last. Returns which of the newest documents cannot be read;
 * an index that does not know one of them is built anew, with all others, from the rows.
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
    // A rotten page of an index passes for one with fewer entries.
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
      // A row whose own key is damaged is met by the key that it had.
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
