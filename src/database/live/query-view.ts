import { isDeepStrictEqual } from 'node:util';
import { PersistenceError } from '../../core/errors/index.ts';
import { compareBySort, isAfter, type JsonObject, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import { after, type Eventually } from '../eventually.ts';
import { type ChangedDocument, type SeenDocument, seeDocument } from './changed-document.ts';
import type { LiveEntry } from './live-api.ts';
import type { LiveShape } from './live-shape.ts';
import type { LiveView } from './live-view.ts';
import { ResultWindow } from './result-window.ts';

/** Minimum number of documents kept beyond the result, so that not every removal needs another query. */
const SPARE_MIN = 16;
/** Documents kept beyond the result, as a share of its size. */
const SPARE_PART = 1 / 4;

export interface QueryViewDeps {
  readonly query: Query;
  readonly find: (query: Query) => FoundDocument[];
  readonly findAside: (query: Query, signal: AbortSignal) => Eventually<FoundDocument[]>;
  /** Undefined: documents are read as they are stored. */
  readonly shape: LiveShape | undefined;
  /** Limits.liveResultsMax */
  readonly resultsMax: number;
  /** Limits.liveResultCharactersMax */
  readonly charactersMax: number;
}

/**
 * The result of a query. It keeps the first matching documents in order: those skipped, those of the result, and a few more.
 * As in `find`, documents that do not fit the schema are not shown; they count for `skip`, not for `limit`.
 */
export class QueryView implements LiveView<readonly LiveEntry<JsonObject>[]> {
  readonly #deps: QueryViewDeps;
  /** Number of documents needed for the result if all of them fit the schema: `skip` + `limit`. */
  readonly #reach: number;
  #entriesMax: number;
  #window: ResultWindow<SeenDocument>;
  #state: readonly LiveEntry<JsonObject>[] = Object.freeze([]);
  #isTouched = true;

  /** Throws LIVE_RESULT_TOO_LARGE if `skip` + `limit` is above `resultsMax`. */
  constructor(deps: QueryViewDeps) {
    const { query, resultsMax } = deps;
    this.#deps = deps;
    this.#reach = query.skip + query.limit;
    if (this.#reach !== Number.POSITIVE_INFINITY && this.#reach > resultsMax) throw tooLarge(resultsMax);
    const spare = Math.max(SPARE_MIN, Math.ceil(this.#reach * SPARE_PART));
    this.#entriesMax = Math.min(this.#reach + spare, resultsMax);
    this.#window = new ResultWindow(compareBySort(query.sort), this.#entriesMax);
  }

  get isShort(): boolean {
    return !this.#window.isWhole && this.state().length < this.#deps.query.limit;
  }

  load(): void {
    this.#take(this.#deps.find(this.#windowQuery()));
    this.#fill();
  }

  loadAside(signal: AbortSignal): Eventually<() => void> {
    return after(this.#deps.findAside(this.#windowQuery(), signal), (found) => () => {
      this.#take(found);
      this.#fill();
    });
  }

  #fill(): void {
    // Many documents do not fit the schema, so more are needed to fill the result.
    while (this.isShort && this.#entriesMax < this.#deps.resultsMax) {
      this.#entriesMax = Math.min(this.#entriesMax * 2, this.#deps.resultsMax);
      this.#take(this.#deps.find(this.#windowQuery()));
    }
    if (this.isShort) throw tooLarge(this.#deps.resultsMax);
  }

  apply(changes: ReadonlyMap<string, ChangedDocument>): void {
    for (const change of changes.values()) this.#applyOne(change);
  }

  state(): readonly LiveEntry<JsonObject>[] {
    if (!this.#isTouched) return this.#state;
    this.#isTouched = false;
    const next: LiveEntry<JsonObject>[] = [];
    for (const { shown } of this.#window.from(this.#deps.query.skip)) {
      if (next.length >= this.#deps.query.limit) break;
      if (shown !== undefined) next.push(shown);
    }
    this.#state = Object.freeze(next);
    return this.#state;
  }

  /** The query for what is kept, and one document more, which shows whether there are others. */
  #windowQuery(): Query {
    return { ...this.#deps.query, skip: 0, limit: this.#entriesMax + 1 };
  }

  #take(found: readonly FoundDocument[]): void {
    const { query, shape } = this.#deps;
    // Checked before any of them is parsed.
    this.#requireRoom(found.reduce((sum, { value }) => sum + value.length, 0));
    const seen = found.map(({ key, value }) => this.#known(seeDocument(key, value, shape)));
    this.#window = new ResultWindow(compareBySort(query.sort), this.#entriesMax);
    this.#window.load(seen);
    this.#touch();
  }

  #applyOne(change: ChangedDocument): void {
    const seen = change.seenIn(this.#deps.shape);
    if (seen === null || !this.#fits(seen)) {
      if (this.#window.get(change.key) === undefined) return;
      this.#window.remove(change.key);
    } else {
      const known = this.#known(seen);
      if (known !== seen) return;
      this.#window.put(seen);
    }
    this.#touch();
  }

  #fits(seen: SeenDocument): boolean {
    const { filter, sort, after: place } = this.#deps.query;
    return matches(filter, seen.value) && (place === undefined || isAfter(sort, seen, place));
  }

  /** The existing entry if readers see no difference, as after a version that lost or the same value again; else the new one. */
  #known(seen: SeenDocument): SeenDocument {
    const old = this.#window.get(seen.key);
    if (old === undefined || (old.shown === undefined) !== (seen.shown === undefined)) return seen;
    return isDeepStrictEqual(old.value, seen.value) ? old : seen;
  }

  #requireRoom(characters: number): void {
    if (characters > this.#deps.charactersMax) throw tooLong(this.#deps.charactersMax);
  }

  #touch(): void {
    this.#isTouched = true;
    this.#requireRoom(this.#window.characters);
    if (this.#reach === Number.POSITIVE_INFINITY && !this.#window.isWhole) throw tooLarge(this.#deps.resultsMax);
  }
}

function tooLong(max: number): PersistenceError {
  return new PersistenceError(
    'LIVE_RESULT_TOO_LARGE',
    `a live query keeps at most ${max} characters of JSON (Limits.liveResultCharactersMax), of documents that it skips, too; give it a smaller limit, or watch the collection`,
    { details: { liveResultCharactersMax: max } },
  );
}

function tooLarge(max: number): PersistenceError {
  return new PersistenceError(
    'LIVE_RESULT_TOO_LARGE',
    `a live query keeps at most ${max} documents (Limits.liveResultsMax), those it skips included; give it a limit, or watch the collection`,
    { details: { liveResultsMax: max } },
  );
}
