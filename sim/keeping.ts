import { type History, nameOf } from './history.ts';
import { Holdings, heldBy } from './holdings.ts';
import type { SimNode } from './node.ts';
import type { TrueWrite } from './true-write.ts';

/** What each disk was seen to hold durably. No crash and no failed flush may take any of it back, whichever life wrote it. */
export class Keeping {
  readonly #history: History;
  readonly #isAmbiguous: (write: TrueWrite) => boolean;
  readonly #kept = new Map<SimNode, Holdings>();

  /** `isAmbiguous`: two lives wrote the document under one dot (R9), so that one write may be mistaken for the other. */
  constructor(history: History, isAmbiguous: (write: TrueWrite) => boolean) {
    this.#history = history;
    this.#isAmbiguous = isAmbiguous;
  }

  /** Looks at a node that is up. What it holds now counts as soon as it is durable. */
  look(node: SimNode): void {
    const held = heldBy(node, this.#history);
    const before = this.#kept.get(node) ?? new Holdings(node.replica, () => false);
    this.#kept.set(node, before);
    node.replica.flush().then(
      () => {
        if (this.#kept.get(node) === before) this.#kept.set(node, held);
      },
      () => {},
    );
  }

  /** Forgets a node whose disk was replaced, or which gives up its knowledge on purpose. */
  forget(node: SimNode): void {
    this.#kept.delete(node);
  }

  /** What the node held durably and no longer has. */
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
