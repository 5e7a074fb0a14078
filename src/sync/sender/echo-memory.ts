import type { ReplicaId } from '../../core/ids/index.ts';
import type { Dot } from '../../core/version/index.ts';

/** How many dots of one replica share a word of bits: dots that arrive in order need one entry per word. */
const WORD_DOTS = 32;

/**
 * R8: dots that the peer sent recently in this session, so that they are not sent back. The memory is bounded: when it is full
 * it starts empty again. The peer ignores what is then echoed.
 */
export class EchoMemory {
  /** For each replica, words of bits by their number. */
  readonly #words = new Map<ReplicaId, Map<number, number>>();
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
    let words = this.#words.get(replica);
    if (words === undefined) {
      words = new Map();
      this.#words.set(replica, words);
    }
    const word = words.get(wordOf(seq)) ?? 0;
    if ((word & bitOf(seq)) !== 0) return;
    words.set(wordOf(seq), word | bitOf(seq));
    this.#size++;
  }

  has({ replica, seq }: Dot): boolean {
    return ((this.#words.get(replica)?.get(wordOf(seq)) ?? 0) & bitOf(seq)) !== 0;
  }

  #clear(): void {
    this.#words.clear();
    this.#size = 0;
  }
}

function wordOf(seq: number): number {
  return Math.floor(seq / WORD_DOTS);
}

function bitOf(seq: number): number {
  return 1 << (seq % WORD_DOTS);
}
