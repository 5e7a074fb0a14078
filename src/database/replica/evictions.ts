import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import { markedCollections, markOf, type Store } from '../../store/index.ts';
import { type DamagedCollections, readablePage } from './damage/index.ts';
import type { Draft } from './draft.ts';
import type { NewLife } from './outcomes.ts';
import type { ReplicaState } from './replica-state.ts';

/** R12: collections whose rows are being removed from this node, in slices. */
export class Evictions {
  readonly #state: ReplicaState;
  readonly #damaged: DamagedCollections;
  #pending: Set<CollectionName>;

  constructor(state: ReplicaState, damaged: DamagedCollections, meta: ReadonlyMap<string, string>) {
    this.#state = state;
    this.#damaged = damaged;
    this.#pending = new Set(markedCollections('evicting', meta));
    state.onReload((_cause, image) => {
      this.#pending = new Set(markedCollections('evicting', image.meta));
    });
  }

  /** The evictions that have begun and are not done, including those begun in a former life. */
  pending(): CollectionName[] {
    return [...this.#pending];
  }

  isPending(collection: CollectionName): boolean {
    return this.#pending.has(collection);
  }

  /** First step: forgets the knowledge of the collection, takes a new id and freezes the collection. Call `dropRows` afterwards. */
  begin(collection: CollectionName): NewLife {
    const draft = this.#state.draft();
    const life = this.#state.nextLife(`collection ${collection} is evicted`);
    draftEviction(draft, collection, life.after);
    this.#state.commitLife(draft);
    this.#damaged.evicted(collection);
    this.#pending.add(collection);
    return life;
  }

  /**
   * Drops one slice of the rows; true if it was the last. Drops nothing if no eviction is pending, because it is done or its
   * first commit was lost by a failed flush: rows that knowledge covers must stay (I4).
   */
  dropRows(collection: CollectionName, limit: number): boolean {
    // This comes first: it reloads if commits were lost and the store could not be read then.
    const draft = this.#state.draft();
    if (!this.#pending.has(collection)) return true;
    const isDone = draftEvictedRows(draft, this.#state.store, collection, limit);
    this.#state.commit(draft, 'own');
    if (isDone) this.#pending.delete(collection);
    return isDone;
  }
}

/**
 * One commit with everything that keeps a peer from taking the missing rows for deletions. Knowledge is forgotten, so no claim
 * covers what is no longer here. The id is new, so nobody who knows of this node's writes expects it to hold them. The
 * collection is frozen, so nothing comes in while the rows are dropped.
 */
function draftEviction(draft: Draft, collection: CollectionName, after: ReplicaId): void {
  draft.setState(collection, 'frozen');
  draft.forgetKnowledge(collection);
  draft.beginLife(after);
  draft.meta(markOf('evicting', collection), 'evicting');
  draft.meta(markOf('counting', collection), null);
}

/** Drops one slice of the rows; true if it was the last. Then it removes the mark by which an interrupted eviction continues. */
function draftEvictedRows(draft: Draft, store: Store, collection: CollectionName, limit: number): boolean {
  const damaged = new Set<DocumentKey>();
  const page = readablePage(store, collection, null, limit, damaged);
  for (const document of page) draft.remove(document, 'evicted');
  for (const key of damaged) draft.removeDamaged(collection, key);
  if (page.length === limit) return false;
  draft.recount(collection, 0, new FingerprintSum());
  draft.meta(markOf('evicting', collection), null);
  return true;
}
