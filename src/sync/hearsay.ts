import type { ReplicaId } from '../core/ids/index.ts';

/** How much is remembered. Beyond that the oldest is forgotten, and may be told again. */
const HEARD_MAX = 1000;

/** What peers said of other replicas (R9), for those whom it concerns, whenever they come. */
export class Hearsay<T extends { readonly replica: ReplicaId }> {
  readonly #items = new Map<string, T>();
  readonly #textOf: (item: T) => string;

  /** `textOf` is equal for items that say the same. */
  constructor(textOf: (item: T) => string) {
    this.#textOf = textOf;
  }

  /** False if it was known before. */
  remember(item: T): boolean {
    const text = this.#textOf(item);
    if (this.#items.has(text)) return false;
    this.#items.set(text, item);
    if (this.#items.size > HEARD_MAX) this.#items.delete(this.#items.keys().next().value!);
    return true;
  }

  of(replica: ReplicaId | undefined): T[] {
    return [...this.#items.values()].filter((item) => item.replica === replica);
  }
}
