import type { CollectionName, ReplicaId } from '../src/core/ids/index.ts';
import { type History, nameOf } from './history.ts';
import { Holdings } from './holdings.ts';
import type { Receipt, SimNode } from './node.ts';

/** The newest seq that was confirmed, by collection and author. */
type Confirmed = Map<CollectionName, Map<ReplicaId, number>>;

/** The receipts that nodes gave. What a node confirmed must survive each of its crashes. */
export class ReceiptBook {
  readonly #history: History;
  /** By node, then by the life in which it gave the receipt. */
  readonly #receipts = new Map<string, Map<ReplicaId, Confirmed>>();

  constructor(history: History) {
    this.#history = history;
  }

  add({ node, life, collection, replica, seq }: Receipt): void {
    const lives = entryOf(this.#receipts, node, () => new Map<ReplicaId, Confirmed>());
    const confirmed = entryOf(lives, life, () => new Map());
    const seqs = entryOf(confirmed, collection, () => new Map<ReplicaId, number>());
    seqs.set(replica, Math.max(seq, seqs.get(replica) ?? 0));
  }

  /** Forgets a node whose disk was replaced, or which gives up its knowledge on purpose: nobody relies on its receipts then. */
  forget(node: SimNode): void {
    this.#receipts.delete(node.key);
  }

  /** What the node had confirmed and no longer has. */
  broken(node: SimNode): string[] {
    const confirmed = this.#receipts.get(node.key)?.get(node.replica.id);
    if (confirmed === undefined) return [];
    const now = new Holdings(node.replica);
    return [...confirmed].flatMap(([collection, seqs]) =>
      this.#history
        .ofCollection(collection)
        .filter((w) => !w.isUndone && w.dot.seq <= (seqs.get(w.dot.replica) ?? 0) && !now.has(w))
        .map((w) => `early receipt: ${node.key} had confirmed ${nameOf(w)} and lost it`),
    );
  }
}

function entryOf<K, V>(entries: Map<K, V>, key: K, create: () => V): V {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = create();
    entries.set(key, entry);
  }
  return entry;
}
