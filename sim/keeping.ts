import { type History, includes, nameOf, type TrueWrite } from './history.ts';
import type { SimNode } from './node.ts';

/** What each disk was seen to hold for good: no crash and no failed flush takes any of it back, of whatever life it is. */
export class Keeping {
  readonly #history: History;
  readonly #isAmbiguous: (write: TrueWrite) => boolean;
  readonly #kept = new Map<SimNode, ReadonlySet<number>>();

  /** `isAmbiguous`: two lives wrote the document under one name (R9), so that one of their writes may pass for the other. */
  constructor(history: History, isAmbiguous: (write: TrueWrite) => boolean) {
    this.#history = history;
    this.#isAmbiguous = isAmbiguous;
  }

  /** Looks at a node that is up; counts as soon as what it holds now is durable. */
  look(node: SimNode): void {
    const held = heldBy(node, this.#history);
    const none = new Set<number>();
    const before = this.#kept.get(node) ?? none;
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
    return [...(this.#kept.get(node) ?? [])]
      .map((id) => this.#history.writes()[id]!)
      .filter((write) => !includes(node.replica, write) && !this.#isAmbiguous(write))
      .map((write) => `lost in a crash: ${node.key} had ${nameOf(write)} on its disk`);
  }
}

/** Writes that a node holds, or knows as replaced or purged. */
export function heldBy(node: SimNode, history: History): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const write of history.writes()) if (includes(node.replica, write)) ids.add(write.id);
  return ids;
}
