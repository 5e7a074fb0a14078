import type { CollectionName, DocumentKey, Random } from '../../core/ids/index.ts';
import { COUNTING, countingMark } from '../../store/index.ts';
import { draftDamage } from './damage.ts';
import type { NewLife } from './outcomes.ts';
import { Recount } from './recount.ts';
import type { ReplicaState } from './replica-state.ts';

const DIGEST_BYTES = 16;

/** R11: collections of which rows were damaged. What is known of them is forgotten, and their sums are counted anew, in slices. */
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

  /** Those whose sums are not counted yet, in this life or in one before. */
  uncounted(): CollectionName[] {
    return [...this.#recounts.keys()];
  }

  isUncounted(collection: CollectionName): boolean {
    return this.#recounts.has(collection);
  }

  /** Forgets what is known of the collection, takes a new id and keeps every readable row. Then `count`. */
  forget(collection: CollectionName, keys: readonly DocumentKey[], why: string): NewLife {
    const draft = this.#state.draft();
    const life = this.#state.nextLife(why);
    draftDamage(draft, this.#state.collection(collection), keys, this.#random.bytes(DIGEST_BYTES));
    draft.beginLife(life.after);
    this.#state.commitLife(draft);
    this.#recounts.set(collection, new Recount(collection));
    return life;
  }

  /** Its rows go: there is nothing to count. */
  evicted(collection: CollectionName): void {
    this.#recounts.delete(collection);
  }

  /**
   * Counts one slice of the collection. Done, it returns the keys of rows that turned out to be damaged as well, which must be
   * forgotten in their turn; null: there is more to count.
   */
  count(collection: CollectionName, limit: number): readonly DocumentKey[] | null {
    const draft = this.#state.draft();
    const recount = this.#recounts.get(collection);
    if (recount === undefined) return [];
    if (!recount.count(this.#state.store, limit)) return null;
    if (recount.damaged.length > 0) return recount.damaged;
    draft.recount(collection, recount.documents, recount.sum);
    draft.meta(countingMark(collection), null);
    this.#state.commit(draft, 'own');
    this.#recounts.delete(collection);
    return [];
  }
}

/** A count that was interrupted begins anew. */
function markedRecounts(meta: ReadonlyMap<string, string>): Map<CollectionName, Recount> {
  const names = [...meta.keys()].filter((name) => name.startsWith(COUNTING)).map((name) => name.slice(COUNTING.length));
  return new Map(names.map((name) => [name as CollectionName, new Recount(name as CollectionName)]));
}
