import type { EntrySpace, Store } from '../../store/index.ts';
import type { Draft } from './draft.ts';

/** A side table that is a log of the newest `sizeMax` entries: a new entry replaces the oldest. */
export class BoundedLog {
  readonly #store: Store;
  readonly #space: EntrySpace;
  readonly #sizeMax: number;
  /** The ids of the entries, oldest first; loaded on first use. */
  #ids: number[] | undefined;

  constructor(store: Store, space: EntrySpace, sizeMax: number) {
    this.#store = store;
    this.#space = space;
    this.#sizeMax = sizeMax;
  }

  /** `entry` must be JSON. Returns its id. */
  append(draft: Draft, entry: object): number {
    this.#ids ??= this.#store.entries(this.#space, 0, this.#sizeMax).map(({ id }) => id);
    const id = (this.#ids.at(-1) ?? 0) + 1;
    this.#ids.push(id);
    draft.entry({ space: this.#space, id, data: JSON.stringify(entry) });
    while (this.#ids.length > this.#sizeMax) draft.entry({ space: this.#space, id: this.#ids.shift()!, data: null });
    return id;
  }
}
