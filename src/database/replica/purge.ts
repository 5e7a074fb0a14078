import { knows, knowsAll } from '../../core/version/index.ts';
import type { Store, StoredDocument } from '../../store/index.ts';
import type { Draft } from './draft.ts';

export interface PurgePass {
  readonly purged: number;
  /** Tombstones that are old enough, but replaced writes that are not known here yet, and perhaps never will be. */
  readonly stuck: number;
}

/**
 * R7: removes deleted documents if knowledge covers their tombstones and everything that these replaced, and raises the purge
 * line to them. This needs neither a list of members nor an answer from any of them.
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
