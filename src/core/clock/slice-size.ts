import { TURN_MS } from './turn.ts';

export interface SliceSizeOptions {
  /** Target duration of one slice, ms: how long other work may have to wait for it. Default: `TURN_MS`. */
  readonly ms?: number;
  /** Bounds of the number of items in one slice. The first slice takes `min`. */
  readonly min: number;
  readonly max: number;
}

/**
 * How many items of long work fit in one turn of the event loop. The cost of an item depends on machine, disk and
 * documents, so each slice is measured: after one that took less than half the target the next takes twice as many items,
 * after one that took too long half as many.
 */
export class SliceSize {
  readonly #options: Required<SliceSizeOptions>;
  #items: number;

  constructor({ ms = TURN_MS, min, max }: SliceSizeOptions) {
    this.#options = { ms, min, max };
    this.#items = min;
  }

  /** Number of items for the next slice. */
  get items(): number {
    return this.#items;
  }

  /** Reports how long a slice took. */
  took(ms: number): void {
    const { ms: targetMs, min, max } = this.#options;
    if (ms > targetMs) this.#items = Math.max(min, Math.floor(this.#items / 2));
    else if (ms < targetMs / 2) this.#items = Math.min(max, this.#items * 2);
  }

  /** Runs one slice with the current number of items and measures it with `monotonic`. */
  run<T>(monotonic: () => number, slice: (items: number) => T): T {
    const startedMs = monotonic();
    const result = slice(this.#items);
    this.took(monotonic() - startedMs);
    return result;
  }
}
