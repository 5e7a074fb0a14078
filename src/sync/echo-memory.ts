import type { ReplicaId } from '../core/ids/index.ts';
import type { Dot } from '../core/version/index.ts';

/**
 * R8: dots that the peer sent lately in this session, so as not to send them back. Bounded: when it is full it starts
 * afresh, and what is then echoed is ignored by the peer.
 */
export class EchoMemory {
  readonly #seqs = new Map<ReplicaId, Set<number>>();
  readonly #sizeMax: number;
  #size = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  remember({ replica, seq }: Dot): void {
    if (this.#size >= this.#sizeMax) this.#clear();
    let seqs = this.#seqs.get(replica);
    if (seqs === undefined) {
      seqs = new Set();
      this.#seqs.set(replica, seqs);
    }
    if (seqs.has(seq)) return;
    seqs.add(seq);
    this.#size++;
  }

  has({ replica, seq }: Dot): boolean {
    return this.#seqs.get(replica)?.has(seq) ?? false;
  }

  #clear(): void {
    this.#seqs.clear();
    this.#size = 0;
  }
}
