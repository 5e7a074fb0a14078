import { isDeepStrictEqual } from 'node:util';
import { PersistenceError } from '../../core/errors/index.ts';
import { compareBySort, type JsonObject, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import { type ChangedDocument, parseFrozen } from './changed-document.ts';
import type { LiveEntry } from './live-api.ts';
import type { LiveView } from './live-view.ts';
import { ResultWindow } from './result-window.ts';

/** Documents kept beyond the result at least, so that it is not read again for every removal. */
const SPARE_MIN = 16;
/** The part of the result that is kept beyond it. */
const SPARE_PART = 1 / 4;

export interface QueryViewDeps {
  readonly query: Query;
  readonly find: (query: Query) => FoundDocument[];
  /** Limits.liveResultsMax */
  readonly resultsMax: number;
}

/** The result of a query: the start of all that fits, in order, as far as `skip` and `limit` reach, and a little beyond. */
export class QueryView implements LiveView<readonly LiveEntry<JsonObject>[]> {
  readonly #deps: QueryViewDeps;
  /** Documents that the result is made of: those skipped, and those shown. */
  readonly #reach: number;
  readonly #entriesMax: number;
  readonly #window: ResultWindow<LiveEntry<JsonObject>>;
  #state: readonly LiveEntry<JsonObject>[] = Object.freeze([]);
  #isTouched = true;

  /** Throws LIVE_RESULT_TOO_LARGE when `skip` and `limit` reach further than may be kept. */
  constructor(deps: QueryViewDeps) {
    const { query, resultsMax } = deps;
    this.#deps = deps;
    this.#reach = query.skip + query.limit;
    if (this.#reach !== Number.POSITIVE_INFINITY && this.#reach > resultsMax) throw tooLarge(resultsMax);
    const isAll = this.#reach === Number.POSITIVE_INFINITY;
    const spare = Math.max(SPARE_MIN, Math.ceil(this.#reach * SPARE_PART));
    this.#entriesMax = isAll ? resultsMax : this.#reach + spare;
    this.#window = new ResultWindow(compareBySort(query.sort), this.#entriesMax);
  }

  get isShort(): boolean {
    return !this.#window.isWhole && this.#window.size < this.#reach;
  }

  load(): void {
    const { query, find } = this.#deps;
    const found = find({ ...query, skip: 0, limit: this.#entriesMax + 1 });
    this.#window.load(found.map(({ key, value }) => this.#toEntry(key, parseFrozen(value))));
    this.#touch();
  }

  apply(changes: ReadonlyMap<string, ChangedDocument>): void {
    for (const { key, value } of changes.values()) this.#applyOne(key, value);
  }

  state(): readonly LiveEntry<JsonObject>[] {
    if (!this.#isTouched) return this.#state;
    this.#isTouched = false;
    const next = this.#window.slice(this.#deps.query.skip, this.#reach);
    if (!isSameList(this.#state, next)) this.#state = Object.freeze(next);
    return this.#state;
  }

  #applyOne(key: string, value: JsonObject | null): void {
    const old = this.#window.get(key);
    if (value === null || !matches(this.#deps.query.filter, value)) {
      if (old === undefined) return;
      this.#window.remove(key);
    } else {
      // A version that lost, or the same value again: readers see no difference.
      if (old !== undefined && isDeepStrictEqual(old.value, value)) return;
      this.#window.put(Object.freeze({ key, value }));
    }
    this.#touch();
  }

  #touch(): void {
    this.#isTouched = true;
    if (this.#reach === Number.POSITIVE_INFINITY && !this.#window.isWhole) throw tooLarge(this.#deps.resultsMax);
  }

  /** The entry that is there already, if it says the same. */
  #toEntry(key: string, value: JsonObject): LiveEntry<JsonObject> {
    const old = this.#window.get(key);
    return old !== undefined && isDeepStrictEqual(old.value, value) ? old : Object.freeze({ key, value });
  }
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function tooLarge(max: number): PersistenceError {
  return new PersistenceError(
    'LIVE_RESULT_TOO_LARGE',
    `a live query keeps at most ${max} documents (Limits.liveResultsMax), those it skips included; give it a limit, or watch the collection`,
    { details: { liveResultsMax: max } },
  );
}
