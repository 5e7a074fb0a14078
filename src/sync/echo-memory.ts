import { type Dot, dotText } from '../core/version/index.ts';

/** R8: dots that the peer sent in this session. Bounded: the oldest is forgotten, and an echo is ignored by the peer. */
export class EchoMemory {
  readonly #dots = new Set<string>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  remember(dot: Dot): void {
    this.#dots.add(dotText(dot));
    if (this.#dots.size > this.#sizeMax) this.#dots.delete(this.#dots.keys().next().value!);
  }

  has(dot: Dot): boolean {
    return this.#dots.size > 0 && this.#dots.has(dotText(dot));
  }
}
