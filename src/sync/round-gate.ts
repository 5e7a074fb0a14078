import type { CollectionName } from '../core/ids/index.ts';

/**
 * Allows one round per collection at a time, over all sessions of a node. So a newcomer does not fetch the same million
 * documents from each of its peers, and live sets are compared with one peer at a time (R5). A session that stops making
 * progress loses its turn, so that one stuck peer stalls nobody.
 */
export class RoundGate {
  readonly #holders = new Map<CollectionName, { readonly owner: object; progressMs: number }>();
  readonly #waiting = new Set<() => void>();
  readonly #stallMsMax: number;

  constructor(stallMsMax: number) {
    this.#stallMsMax = stallMsMax;
  }

  /** True if the round may begin or the owner already holds the turn. Asking again is not progress. */
  enter(collection: CollectionName, owner: object, nowMs: number): boolean {
    const holder = this.#holders.get(collection);
    if (holder?.owner === owner) return true;
    if (holder !== undefined && nowMs - holder.progressMs < this.#stallMsMax) return false;
    this.#holders.set(collection, { owner, progressMs: nowMs });
    return true;
  }

  progress(collection: CollectionName, owner: object, nowMs: number): void {
    const holder = this.#holders.get(collection);
    if (holder?.owner === owner) holder.progressMs = nowMs;
  }

  leave(collection: CollectionName, owner: object): void {
    if (this.#holders.get(collection)?.owner !== owner) return;
    this.#holders.delete(collection);
    for (const wake of this.#waiting) wake();
  }

  /** Gives back everything that a closed session held. */
  leaveAll(owner: object): void {
    for (const [collection, holder] of this.#holders) if (holder.owner === owner) this.leave(collection, owner);
  }

  /** Calls `wake` whenever a turn becomes free, until the returned function is called. */
  onFree(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}
