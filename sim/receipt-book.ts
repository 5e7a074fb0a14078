import { type History, includes, nameOf } from './history.ts';
import type { Receipt, SimNode } from './node.ts';

/** Receipts that nodes gave, and whether they kept them: what was confirmed survives every crash of who confirmed it. */
export class ReceiptBook {
  readonly #history: History;
  #receipts: Receipt[] = [];

  constructor(history: History) {
    this.#history = history;
  }

  add(receipt: Receipt): void {
    this.#receipts.push(receipt);
  }

  /** The node's disk is another one, or its knowledge goes for another reason: then nobody counts on it. */
  forget(node: SimNode): void {
    this.#receipts = this.#receipts.filter((receipt) => receipt.node !== node.key);
  }

  /** What the node had confirmed and does not have. */
  broken(node: SimNode): string[] {
    const confirmed = new Map<string, number>();
    for (const receipt of this.#receipts) {
      if (receipt.node !== node.key || receipt.life !== node.replica.id) continue;
      const name = `${receipt.collection}/${receipt.replica}`;
      confirmed.set(name, Math.max(receipt.seq, confirmed.get(name) ?? 0));
    }
    return this.#history
      .writes()
      .filter((w) => !w.isUndone && w.dot.seq <= (confirmed.get(`${w.collection}/${w.dot.replica}`) ?? 0))
      .filter((w) => !includes(node.replica, w))
      .map((w) => `early receipt: ${node.key} had confirmed ${nameOf(w)} and lost it`);
  }
}
