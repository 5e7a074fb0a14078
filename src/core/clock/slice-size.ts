import { TURN_MS } from './turn.ts';

export interface SliceSizeOptions {
  /** A slice should take about so long, ms: other work waits no longer for it. Default: `TURN_MS`. */
  readonly ms?: number;
  /** Bounds of the items in one slice. The first one takes `min`. */
  readonly min: number;
  readonly max: number;
}

/**
 * How many items of long work one turn of the event loop takes. What an item costs depends on machine, disk and documents, so
 * each slice is measured: after a short one the next takes twice as many, after a long one half.
 */
export class SliceSize {
  readonly #options: Required<SliceSizeOptions>;
  #items: number;

  constructor({ ms = TURN_MS, min, max }: SliceSizeOptions) {
    this.#options = { ms, min, max };
    this.#items = min;
  }

  /** For the next slice. */
  get items(): number {
    return this.#items;
  }

  /** A slice took so long. */
  took(ms: number): void {
    const { ms: goal, min, max } = this.#options;
    if (ms > goal) this.#items = Math.max(min, Math.floor(this.#items / 2));
    else if (ms < goal / 2) this.#items = Math.min(max, this.#items * 2);
  }

  /** Runs a slice of so many items, measured on this clock. */
  run<T>(monotonic: () => number, slice: (items: number) => T): T {
    const startedMs = monotonic();
    const result = slice(this.#items);
    this.took(monotonic() - startedMs);
    return result;
  }
}
