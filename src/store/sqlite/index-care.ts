import { type Clock, SliceSize, TURN_MS } from '../../core/clock/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Damage } from '../store.ts';
import { RottenIndexError } from './query/index.ts';
import type { Tables } from './tables.ts';

/** Documents entered into an index in one step. */
const SLICE = { ms: 2 * TURN_MS, min: 16, max: 1024 };

export interface IndexCareDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks after indexes that rotted: from the moment that one does not fit its documents nobody reads it, queries are answered
 * without it, and it is made anew as soon as there is time.
 */
export class IndexCare {
  readonly #deps: IndexCareDeps;
  readonly #slice = new SliceSize(SLICE);
  readonly #rotten = new Set<number>();

  constructor(deps: IndexCareDeps) {
    this.#deps = deps;
  }

  /** Indexes that nobody reads. */
  get rotten(): ReadonlySet<number> {
    return this.#rotten;
  }

  /** Runs a query, and again without an index that it found rotten. */
  withTrusted<T>(run: (isTrusted: (id: number) => boolean) => T): T {
    for (;;) {
      try {
        return run((id) => !this.#rotten.has(id));
      } catch (error) {
        if (!(error instanceof RottenIndexError)) throw error;
        this.distrust(error);
      }
    }
  }

  distrust(error: RottenIndexError): void {
    if (this.#rotten.has(error.indexId)) return;
    this.#rotten.add(error.indexId);
    this.#deps.logger.error({ err: error, path: this.#deps.path }, 'an index is damaged; it is made anew');
  }

  /** Passes on what a check finds, and learns from it. */
  async *watching(damage: AsyncIterable<Damage>): AsyncGenerator<Damage> {
    for await (const each of damage) {
      if (each.kind === 'index') this.distrust(new RottenIndexError(each.indexId, each.problem));
      yield each;
    }
  }

  isDue({ indexWork }: Tables): boolean {
    return this.#rotten.size > 0 || indexWork.next() !== undefined;
  }

  /** One step, short enough for a turn, within a transaction of `write`. Returns about how many rows it wrote. */
  step(write: (run: (tables: Tables) => number) => number): number {
    const { clock } = this.#deps;
    return this.#slice.run(
      () => clock.monotonic(),
      (documents) => write((tables) => this.#step(tables, documents)),
    );
  }

  #step({ indexWork }: Tables, documents: number): number {
    for (const id of this.#rotten) indexWork.rebuild(id);
    const index = indexWork.next();
    const rows = index === undefined ? 0 : indexWork.step(index, documents);
    // An index that is being emptied answers nothing, so that it need not be distrusted any longer.
    this.#rotten.clear();
    return rows;
  }
}
