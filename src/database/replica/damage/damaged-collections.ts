import type { CollectionName, DocumentKey, Random } from '../../../core/ids/index.ts';
import { markedCollections, markOf } from '../../../store/index.ts';
import type { NewLife } from '../outcomes.ts';
import type { ReplicaState } from '../replica-state.ts';
import { draftDamage } from './damage.ts';
import { Recount } from './recount.ts';

const DIGEST_BYTES = 16;

/** R11: collections with damaged rows. Their knowledge is forgotten, and their sums are counted again, in slices. */
export class DamagedCollections {
  readonly #state: ReplicaState;
  readonly #random: Random;
  #recounts: Map<CollectionName, Recount>;

  constructor(state: ReplicaState, random: Random, meta: ReadonlyMap<string, string>) {
    this.#state = state;
    this.#random = random;
    this.#recounts = markedRecounts(meta);
    state.onReload((_cause, image) => {
      this.#recounts = markedRecounts(image.meta);
    });
    state.onCommit(({ drafted }) => {
      for (const recount of this.#recounts.values()) recount.committed(drafted);
    });
  }

  /** The collections whose sums are not counted yet, including those damaged in a former life. */
  uncounted(): CollectionName[] {
    return [...this.#recounts.keys()];
  }

  isUncounted(collection: CollectionName): boolean {
    return this.#recounts.has(collection);
  }

  /** Forgets the knowledge of the collection, takes a new id and keeps every readable row. Call `count` afterwards. */
  forget(collection: CollectionName, keys: readonly DocumentKey[], why: string): NewLife {
    const draft = this.#state.draft();
    const life = this.#state.nextLife(why);
    draftDamage(draft, this.#state.collection(collection), keys, this.#random.bytes(DIGEST_BYTES));
    draft.beginLife(life.after);
    this.#state.commitLife(draft);
    this.#recounts.set(collection, new Recount(collection));
    return life;
  }

  /** The collection is being evicted, so there is nothing to count. */
  evicted(collection: CollectionName): void {
    this.#recounts.delete(collection);
  }

  /**
   * Counts one slice of the collection. Returns null if there is more to count, and otherwise the keys of rows that turned out
   * to be damaged too: if there are any, call `forget` for them and count again.
   */
  count(collection: CollectionName, limit: number): readonly DocumentKey[] | null {
    const draft = this.#state.draft();
    const recount = this.#recounts.get(collection);
    if (recount === undefined) return [];
    if (!recount.count(this.#state.store, limit)) return null;
    if (recount.damaged.length > 0) return recount.damaged;
    draft.recount(collection, recount.documents, recount.sum);
    draft.meta(markOf('counting', collection), null);
    this.#state.commit(draft, 'own');
    this.#recounts.delete(collection);
    return [];
  }
}

/** The counts to make, by their marks. An interrupted count starts again. */
function markedRecounts(meta: ReadonlyMap<string, string>): Map<CollectionName, Recount> {
  return new Map(markedCollections('counting', meta).map((name) => [name, new Recount(name)]));
}
