import { type Clock, SliceSize, TURN_MS } from '../../core/clock/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Damage } from '../store.ts';
import { RottenIndexError } from './query/index.ts';
import type { Tables } from './tables.ts';

/** Documents entered into an index in one step, and how long a step takes. */
const SLICE = { ms: 2 * TURN_MS, min: 16, max: 1024 };

export interface IndexCareDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes care of rotten indexes: as soon as an index is found not to fit its documents, queries are answered without it, and
 * it is rebuilt when there is time.
 */
export class IndexCare {
  readonly #deps: IndexCareDeps;
  readonly #slice = new SliceSize(SLICE);
  readonly #rotten = new Set<number>();

  constructor(deps: IndexCareDeps) {
    this.#deps = deps;
  }

  /** Indexes that must not be read. */
  get rotten(): ReadonlySet<number> {
    return this.#rotten;
  }

  /** Runs a query; if it finds an index rotten, runs it again without that index. */
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

  /** Passes on the damage that a check finds, and distrusts the indexes among it. */
  async *watching(damage: AsyncIterable<Damage>): AsyncGenerator<Damage> {
    for await (const each of damage) {
      if (each.kind === 'index') this.distrust(new RottenIndexError(each.indexId, each.problem));
      yield each;
    }
  }

  isDue({ indexWork }: Tables): boolean {
    return this.#rotten.size > 0 || indexWork.next() !== undefined;
  }

  /** Does one step, short enough for a turn, in a transaction of `write`. Returns roughly how many rows it wrote. */
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
    // An index that is being emptied answers no queries, so it need not be distrusted any longer.
    this.#rotten.clear();
    return rows;
  }
}
