import { knows, knowsAll } from '../../core/version/index.ts';
import type { Store, StoredDocument } from '../../store/index.ts';
import type { Draft } from './draft.ts';

export interface PurgePass {
  readonly purged: number;
  /** Old enough, but their context names writes that are not known here yet, perhaps never will be. */
  readonly stuck: number;
}

/**
 * R7: forgets deleted documents once knowledge covers their tombstones and all that these replaced, and raises the purge
 * line with them. There is no membership to manage and nobody to wait for.
 */
export function draftPurges(draft: Draft, store: Store, arrivedBeforeMs: number, limit: number): PurgePass {
  let purged = 0;
  let stuck = 0;
  for (const document of store.dead(arrivedBeforeMs, limit)) {
    if (!isPurgeable(draft, document)) {
      stuck++;
      continue;
    }
    draft.raisePurgeLine(document.collection, document.versions);
    draft.remove(document, 'purged');
    purged++;
  }
  return { purged, stuck };
}

function isPurgeable(draft: Draft, document: StoredDocument): boolean {
  const { knowledge } = draft.collection(document.collection);
  return document.versions.every((t) => knows(knowledge, t.replica, t.seq) && knowsAll(knowledge, t.context));
}
