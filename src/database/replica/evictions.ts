import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import { countingMark, type Store } from '../../store/index.ts';
import { readablePage } from './damage.ts';
import type { DamagedCollections } from './damaged-collections.ts';
import type { Draft } from './draft.ts';
import type { NewLife } from './outcomes.ts';
import type { ReplicaState } from './replica-state.ts';

/** R12: collections whose rows go, in slices, because this node is to keep nothing of them. */
export class Evictions {
  readonly #state: ReplicaState;
  readonly #damaged: DamagedCollections;
  #pending: Set<CollectionName>;

  constructor(state: ReplicaState, damaged: DamagedCollections, meta: ReadonlyMap<string, string>) {
    this.#state = state;
    this.#damaged = damaged;
    this.#pending = new Set(markedEvictions(meta));
    state.onReload((_cause, image) => {
      this.#pending = new Set(markedEvictions(image.meta));
    });
  }

  /** Those that have begun and are not done, in this life or in one before. */
  pending(): CollectionName[] {
    return [...this.#pending];
  }

  isPending(collection: CollectionName): boolean {
    return this.#pending.has(collection);
  }

  /** First step: knowledge of the collection goes, the id is new, nothing comes in any more. Then `dropRows`. */
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
   * Drops one slice of the rows; true when it was the last. Nothing goes where no eviction runs, because it was done, or because its
   * beginning was lost with a failed flush: rows that knowledge covers must stay (I4).
   */
  dropRows(collection: CollectionName, limit: number): boolean {
    // First of all: it notices a loss that could not be looked into before.
    const draft = this.#state.draft();
    if (!this.#pending.has(collection)) return true;
    const isDone = draftEvictedRows(draft, this.#state.store, collection, limit);
    this.#state.commit(draft, 'own');
    if (isDone) this.#pending.delete(collection);
    return isDone;
  }
}

/**
 * Everything that could make a peer take the missing rows for deletions goes at once. Knowledge is forgotten, so that no claim covers
 * what is no longer here; the id is new, so that nobody who knows of my own writes expects me to have them; frozen, so that nothing
 * comes in while the rows go.
 */
function draftEviction(draft: Draft, collection: CollectionName, after: ReplicaId): void {
  draft.setState(collection, 'frozen');
  draft.forgetKnowledge(collection);
  draft.beginLife(after);
  draft.meta(evictionMark(collection), 'evicting');
  draft.meta(countingMark(collection), null);
}

/** One slice of the rows. True when it was the last; the mark by which an interrupted eviction goes on is gone then. */
function draftEvictedRows(draft: Draft, store: Store, collection: CollectionName, limit: number): boolean {
  const damaged = new Set<DocumentKey>();
  const page = readablePage(store, collection, null, limit, damaged);
  for (const document of page) draft.remove(document, 'evicted');
  for (const key of damaged) draft.removeDamaged(collection, key);
  if (page.length === limit) return false;
  draft.recount(collection, 0, new FingerprintSum());
  draft.meta(evictionMark(collection), null);
  return true;
}

const MARK = 'evicting:';

function evictionMark(collection: CollectionName): string {
  return `${MARK}${collection}`;
}

function markedEvictions(meta: ReadonlyMap<string, string>): CollectionName[] {
  return [...meta.keys()]
    .filter((name) => name.startsWith(MARK))
    .map((name) => name.slice(MARK.length) as CollectionName);
}
