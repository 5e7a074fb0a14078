import { allEntries, type EntrySpace } from '../../store/index.ts';
import type { Draft } from './draft.ts';
import type { ReplicaState } from './replica-state.ts';

/** A side table that is a log of the newest `sizeMax` entries: a new entry replaces the oldest. */
export class BoundedLog {
  readonly #state: ReplicaState;
  readonly #space: EntrySpace;
  readonly #sizeMax: number;
  /** The ids of the entries in the store, oldest first; loaded on first use. */
  #ids: readonly number[] | undefined;
  /** The draft that was last appended to, and the ids after its commit. It may be dropped instead. */
  #drafted: { readonly draft: Draft; readonly ids: number[] } | undefined;

  constructor(state: ReplicaState, space: EntrySpace, sizeMax: number) {
    this.#state = state;
    this.#space = space;
    this.#sizeMax = sizeMax;
    state.onReload(() => {
      this.#ids = undefined;
    });
  }

  /** Adds an entry, which must be JSON, to a draft. Call `committed` after the commit. */
  append(draft: Draft, entry: object): void {
    if (this.#drafted?.draft !== draft) {
      this.#ids ??= Array.from(allEntries(this.#state.store, this.#space), ({ id }) => id);
      this.#drafted = { draft, ids: [...this.#ids] };
    }
    const { ids } = this.#drafted;
    const id = (ids.at(-1) ?? 0) + 1;
    ids.push(id);
    draft.entry({ space: this.#space, id, data: JSON.stringify(entry) });
    while (ids.length > this.#sizeMax) draft.entry({ space: this.#space, id: ids.shift()!, data: null });
  }

  /** A draft was committed, whether it was appended to or not. */
  committed(draft: Draft): void {
    if (this.#drafted?.draft === draft) this.#ids = this.#drafted.ids;
    this.#drafted = undefined;
  }
}
