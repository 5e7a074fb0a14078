import { SyncError } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';

/** Makes the SYNC_ERROR / COLLECTION_NOT_WANTED for local writes to a collection that this node does not want (R12). */
export function frozenError(collection: CollectionName): SyncError {
  return new SyncError(
    'COLLECTION_NOT_WANTED',
    `collection ${JSON.stringify(collection)} is frozen on this node, which does not want it; widen it before you write`,
    { details: { collection } },
  );
}
