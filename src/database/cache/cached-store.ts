import type { Limits } from '../../core/config/index.ts';
import { BLOBS_COLLECTION } from '../../core/ids/index.ts';
import type { Store } from '../../store/index.ts';
import type { DocumentCache } from './document-cache.ts';
import { RecentChanges } from './recent-changes.ts';

/**
 * A store that answers `get` from the cache if possible. The cache changes in the same step as the store: at each commit,
 * local or remote, and at `load`, which also follows a failed flush. So reads see exactly what the store holds, and a write
 * finds the row that it replaces without reading from the disk.
 */
export function cachedStore(store: Store, cache: DocumentCache, limits: Limits): Store {
  const recent = new RecentChanges(limits.recentChangesMax, limits.recentCharactersMax);
  // Feeds ask for removals after every commit, and there are hardly ever any. Both are undefined while they are not known.
  let newestGone: number | undefined;
  let goneFrom: number | undefined;
  return {
    supports: store.supports,
    load() {
      cache.clear();
      newestGone = undefined;
      goneFrom = undefined;
      const image = store.load();
      const pos = image.head?.pos ?? 0;
      // The head should be the newest position. If the store holds a newer change, it answers `changes` itself.
      recent.reset(store.changes(pos, 1).length === 0 ? pos : Number.POSITIVE_INFINITY);
      return image;
    },
    meta: (name) => store.meta(name),
    commit(batch) {
      store.commit(batch);
      recent.commit(batch);
      for (const row of batch.documents ?? []) cache.changeRow(row);
      for (const { collection, key, pos } of batch.removed ?? []) {
        cache.delete(collection, key);
        newestGone = Math.max(newestGone ?? 0, pos);
        goneFrom = undefined;
      }
    },
    get(collection, key, use) {
      const held = cache.row(collection, key, false);
      if (held !== undefined) return held;
      const row = store.get(collection, key);
      // A blob would evict all other documents, and is seldom read twice.
      if (row !== undefined && use !== 'once' && collection !== BLOBS_COLLECTION) cache.keepRow(row);
      return row;
    },
    absent: (...query) => store.absent(...query),
    unseen: (...query) => store.unseen(...query),
    flush: () => store.flush(),
    close: () => store.close(),
    documents: (...query) => store.documents(...query),
    changes: (afterPos, limit) => recent.after(afterPos, limit) ?? store.changes(afterPos, limit),
    delta: (...query) => store.delta(...query),
    liveReplicas: (...query) => store.liveReplicas(...query),
    dead: (...query) => store.dead(...query),
    fingerprints: (...query) => store.fingerprints(...query),
    nthKey: (...query) => store.nthKey(...query),
    inRange: (...query) => store.inRange(...query),
    gone(afterPos, limit) {
      if (newestGone !== undefined && afterPos >= newestGone) return [];
      const found = store.gone(afterPos, limit);
      if (found.length === 0 && limit > 0) newestGone = afterPos;
      return found;
    },
    goneFrom() {
      goneFrom ??= store.goneFrom();
      return goneFrom;
    },
    ...queriesOf(store),
    indexes: (collection) => store.indexes(collection),
    addIndex: (...index) => store.addIndex(...index),
    removeIndex: (...index) => store.removeIndex(...index),
    workOnIndexes: () => store.workOnIndexes(),
    chainCheck: (seq) => store.chainCheck(seq),
    chainFrom: () => store.chainFrom(),
    entries: (...query) => store.entries(...query),
  };
}

/** Queries always go to the store. */
function queriesOf(store: Store): Pick<Store, 'find' | 'count' | 'findAside' | 'countAside' | 'explain'> {
  return {
    find: (...query) => store.find(...query),
    count: (...query) => store.count(...query),
    findAside: (...query) => store.findAside(...query),
    countAside: (...query) => store.countAside(...query),
    explain: (...query) => store.explain(...query),
  };
}
