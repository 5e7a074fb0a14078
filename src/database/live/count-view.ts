import { PersistenceError } from '../../core/errors/index.ts';
import { type Filter, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import { after, type Eventually } from '../eventually.ts';
import type { ChangedDocument } from './changed-document.ts';
import type { LiveShape } from './live-shape.ts';
import type { LiveView } from './live-view.ts';

export interface CountViewDeps {
  readonly filter: Filter;
  /** Undefined: documents are read as they are stored. */
  readonly shape: LiveShape | undefined;
  readonly find: (query: Query) => FoundDocument[];
  readonly findAside: (query: Query, signal: AbortSignal) => Eventually<FoundDocument[]>;
  /** Number of documents in the collection now. */
  readonly documents: () => number;
  /** Limits.liveCountKeysMax */
  readonly keysMax: number;
}

/**
 * The number of matching documents. The engine knows the number of documents in a collection; with a filter, this view keeps
 * the keys of the matching ones.
 */
export class CountView implements LiveView<number> {
  readonly #deps: CountViewDeps;
  readonly #isOfAll: boolean;
  #keys = new Set<string>();
  #documents = 0;
  readonly isShort = false;

  constructor(deps: CountViewDeps) {
    this.#deps = deps;
    this.#isOfAll = deps.filter.kind === 'all';
  }

  load(): void {
    this.#documents = this.#deps.documents();
    if (!this.#isOfAll) this.#take(this.#deps.find(this.#query()));
  }

  loadAside(signal: AbortSignal): Eventually<() => void> {
    if (this.#isOfAll) return () => this.load();
    return after(this.#deps.findAside(this.#query(), signal), (found) => () => this.#take(found));
  }

  apply(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    this.#documents = documents;
    if (this.#isOfAll) return;
    for (const change of changes.values()) {
      const value = change.valueIn(this.#deps.shape);
      if (value !== null && matches(this.#deps.filter, value)) this.#keys.add(change.key);
      else this.#keys.delete(change.key);
    }
    this.#check();
  }

  state(): number {
    return this.#isOfAll ? this.#documents : this.#keys.size;
  }

  #query(): Query {
    const { filter, keysMax } = this.#deps;
    return { filter, sort: [], skip: 0, limit: keysMax + 1 };
  }

  #take(found: readonly FoundDocument[]): void {
    this.#keys = new Set(found.map(({ key }) => key));
    this.#check();
  }

  #check(): void {
    const { keysMax } = this.#deps;
    if (this.#keys.size <= keysMax) return;
    throw new PersistenceError(
      'LIVE_RESULT_TOO_LARGE',
      `a live count with a filter keeps at most ${keysMax} keys (Limits.liveCountKeysMax); count now and then instead`,
      { details: { liveCountKeysMax: keysMax } },
    );
  }
}
