import { type History, nameOf } from './history.ts';
import { Holdings, heldBy } from './holdings.ts';
import type { SimNode } from './node.ts';
import type { TrueWrite } from './true-write.ts';

/** What each disk was seen to hold for good: no crash and no failed flush takes any of it back, of whatever life it is. */
export class Keeping {
  readonly #history: History;
  readonly #isAmbiguous: (write: TrueWrite) => boolean;
  readonly #kept = new Map<SimNode, Holdings>();

  /** `isAmbiguous`: two lives wrote the document under one name (R9), so that one of their writes may pass for the other. */
  constructor(history: History, isAmbiguous: (write: TrueWrite) => boolean) {
    this.#history = history;
    this.#isAmbiguous = isAmbiguous;
  }

  /** Looks at a node that is up; counts as soon as what it holds now is durable. */
  look(node: SimNode): void {
    const held = heldBy(node.replica, this.#history);
    const before = this.#kept.get(node) ?? new Holdings(node.replica, () => false);
    this.#kept.set(node, before);
    node.replica.flush().then(
      () => {
        if (this.#kept.get(node) === before) this.#kept.set(node, held);
      },
      () => {},
    );
  }

  /** Its disk is another one, or what it knows goes for a reason of its own. */
  forget(node: SimNode): void {
    this.#kept.delete(node);
  }

  /** What the node held for good and does not have. */
  broken(node: SimNode): string[] {
    const kept = this.#kept.get(node);
    if (kept === undefined) return [];
    const now = new Holdings(node.replica);
    return this.#history
      .writes()
      .filter((write) => kept.has(write) && !now.has(write) && !this.#isAmbiguous(write))
      .map((write) => `lost in a crash: ${node.key} had ${nameOf(write)} on its disk`);
  }
}
