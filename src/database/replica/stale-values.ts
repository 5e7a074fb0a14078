import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { ReplicaState } from './replica-state.ts';

/** R3: collections with values of another resolver, or another revision of it, than they have now. */
export class StaleValues {
  readonly #state: ReplicaState;
  /** For each collection that is being resolved again, the resolver of the last page. */
  readonly #pageResolvers = new Map<CollectionName, string>();

  constructor(state: ReplicaState) {
    this.#state = state;
    state.onReload(() => this.#pageResolvers.clear());
  }

  collections(): CollectionName[] {
    return [...this.#state.collections()]
      .filter(({ name, resolver }) => resolver !== this.#state.resolverText(name))
      .map(({ name }) => name);
  }

  /**
   * Resolves the documents with siblings in one page of the collection again; their versions stay as they are. Returns the key after
   * which to continue, or null at the end: all values are then those of the present resolver. Starts again with the first page if
   * the resolver is not that of the page before.
   */
  resolveAgain(collection: CollectionName, after: DocumentKey | null, limit: number): DocumentKey | null {
    const draft = this.#state.draft();
    const resolver = this.#state.resolverText(collection);
    const from = this.#pageResolvers.get(collection) === resolver ? after : null;
    const page = this.#state.store.documents(collection, from, limit);
    for (const document of page) if (document.versions.length > 1) draft.resolveAgain(document);
    const next = page.length === limit ? page.at(-1)!.key : null;
    if (next === null) draft.setResolver(collection, resolver);
    this.#state.commit(draft, 'own');
    if (next === null) this.#pageResolvers.delete(collection);
    else this.#pageResolvers.set(collection, resolver);
    return next;
  }
}
