import { isEntglDbError } from '../../core/errors/index.ts';
import type { Store } from '../../store/index.ts';

export interface DurabilityDeps {
  readonly store: Pick<Store, 'flush'>;
  /** The newest change position. */
  readonly pos: () => number;
  /** Called when a flush failed: commits were lost, and the store went back to what is durable. */
  readonly onLost: (cause: unknown) => void;
}

/** Knows which commits are durable. Calls that wait for the same commits share one flush. */
export class Durability {
  readonly #deps: DurabilityDeps;
  readonly #listeners = new Set<() => void>();
  #pos: number;
  #commits = 0;
  #durableCommits = 0;
  #flushing: { readonly commits: number; readonly done: Promise<void> } | undefined;
  /** Rises with every restart; the outcome of a flush from before a restart is ignored. */
  #epoch = 0;

  constructor(deps: DurabilityDeps) {
    this.#deps = deps;
    this.#pos = deps.pos();
  }

  /** Every change up to this position survives a crash. */
  get pos(): number {
    return this.#pos;
  }

  /** Number of commits so far. */
  get commits(): number {
    return this.#commits;
  }

  /** How many of these commits are durable, or were lost before a restart. */
  get durableCommits(): number {
    return this.#durableCommits;
  }

  /** Calls `listener` whenever `pos` has risen. */
  onDurable(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(): void {
    this.#commits++;
  }

  /** Resolves when every commit so far is durable. */
  flush(): Promise<void> {
    if (this.#commits === this.#durableCommits) return Promise.resolve();
    if (this.#flushing?.commits === this.#commits) return this.#flushing.done;
    const flushing = { commits: this.#commits, done: this.#flush() };
    this.#flushing = flushing;
    return flushing.done;
  }

  /** Starts again with what is in the store now, all of which is durable. */
  restart(): void {
    this.#epoch++;
    this.#pos = this.#deps.pos();
    this.#durableCommits = this.#commits;
    this.#flushing = undefined;
  }

  async #flush(): Promise<void> {
    const epoch = this.#epoch;
    const commits = this.#commits;
    const pos = this.#deps.pos();
    try {
      await this.#deps.store.flush();
    } catch (error) {
      if (epoch === this.#epoch && !isEntglDbError(error, 'DATABASE_CLOSED')) this.#deps.onLost(error);
      throw error;
    }
    if (epoch !== this.#epoch) return;
    this.#durableCommits = Math.max(this.#durableCommits, commits);
    if (pos <= this.#pos) return;
    this.#pos = pos;
    for (const listener of [...this.#listeners]) listener();
  }
}
