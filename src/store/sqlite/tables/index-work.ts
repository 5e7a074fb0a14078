import { LIMITS } from '../../../core/config/index.ts';
import { type CollectionName, compareBytes } from '../../../core/ids/index.ts';
import { type IndexDefinition, invalidIndex } from '../../../core/query/index.ts';
import { FILLING_COMMIT_MIN } from '../../filling.ts';
import type { StoredDocument, StoredIndex } from '../../store.ts';
import type { CollectionDictionary } from './dictionary.ts';
import type { DocumentTable } from './document-table.ts';
import type { HeldIndex } from './index-rows.ts';
import { IndexRun } from './index-run.ts';
import type { IndexTable } from './index-table.ts';

/** Characters of JSON after which a step ends: a few milliseconds. */
const STEP_CHARACTERS_MAX = 512 * 1024;
/** How many entries are removed in the time of entering one document. */
const REMOVED_PER_ENTERED = 8;
/**
 * Steps that collect the first run after an opening, and the longest run. Each run takes twice as many as the one before: the run in
 * progress is lost when the process ends, and a program that ends soon must get further, too.
 */
const RUN_STEPS_MIN = 4;
const RUN_STEPS_MAX = 64;

/**
 * A collection with at least this many documents, deleted ones included, does not count as being filled: queries use its indexes, and
 * building them anew would take long.
 */
const FILLED_COLLECTION_MIN = 1024;

/** Adds and removes indexes, and does the work for that in short steps. Every call is part of a transaction of its caller. */
export class IndexWork {
  readonly #indexes: IndexTable;
  readonly #documents: DocumentTable;
  readonly #collections: CollectionDictionary;
  readonly #countOf: (collection: CollectionName) => number;
  /** Documents of the collection when the progress of a build was first asked for, by index. */
  readonly #totals = new Map<number, number>();
  #runSteps = RUN_STEPS_MIN;

  /** `countOf`: number of documents of a collection, deleted ones included, known without counting. */
  constructor(
    indexes: IndexTable,
    documents: DocumentTable,
    collections: CollectionDictionary,
    countOf: (collection: CollectionName) => number,
  ) {
    this.#indexes = indexes;
    this.#documents = documents;
    this.#collections = collections;
    this.#countOf = countOf;
  }

  list(collection: CollectionName): StoredIndex[] {
    const coll = this.#collections.knownId(collection);
    const held = coll === undefined ? [] : (this.#indexes.keptBy(coll) ?? []);
    if (held.length === 0) return [];
    return [...held]
      .sort((a, b) => compareBytes(a.definition.name, b.definition.name))
      .map(({ id, definition, state, done }) => ({
        definition,
        isReady: state === 'ready',
        progress:
          state === 'ready' ? 1 : state === 'building' ? Math.min(0.99, done / this.#totalOf(collection, id)) : 0,
      }));
  }

  #totalOf(collection: CollectionName, id: number): number {
    const total = this.#totals.get(id) ?? Math.max(1, this.#countOf(collection));
    this.#totals.set(id, total);
    return total;
  }

  add(collection: CollectionName, definition: IndexDefinition): void {
    const coll = this.#collections.idOf(collection);
    const held = this.#indexes.keptBy(coll) ?? [];
    const former = held.find((index) => index.definition.name === definition.name);
    if (former?.definition.text === definition.text) return;
    if (former === undefined && held.length >= LIMITS.indexesPerCollectionMax) {
      throw invalidIndex(`is one more than ${LIMITS.indexesPerCollectionMax} (Limits.indexesPerCollectionMax)`);
    }
    if (former !== undefined) this.#indexes.rows.put({ ...former, state: 'dropping' });
    const id = this.#indexes.rows.nextId();
    this.#indexes.rows.put({ id, coll, definition, state: 'building', after: null, done: 0 });
  }

  remove(collection: CollectionName, name: string): boolean {
    const coll = this.#collections.knownId(collection);
    const held = coll === undefined ? [] : (this.#indexes.keptBy(coll) ?? []);
    const index = held.find(({ definition }) => definition.name === name);
    if (index === undefined) return false;
    this.#indexes.rows.put({ ...index, state: 'dropping' });
    return true;
  }

  readyOf(collection: CollectionName): readonly HeldIndex[] {
    const coll = this.#collections.knownId(collection);
    const held = coll === undefined ? [] : (this.#indexes.keptBy(coll) ?? []);
    return held.filter(({ state }) => state === 'ready');
  }

  /** The ready indexes that do not hold a document as it is. */
  lacking({ collection, key, value }: StoredDocument): readonly HeldIndex[] {
    if (value === null) return [];
    return this.readyOf(collection).filter((index) => this.#indexes.held(index, key, value) === undefined);
  }

  /** Number of documents that an index does not hold as they are, and of entries that belong to none. Reads everything. */
  compare(index: HeldIndex): { readonly missing: number; readonly others: number } {
    let missing = 0;
    let expected = 0;
    for (const { key, value } of this.#documents.textsOf(index.coll)) {
      const held = this.#indexes.held(index, key, value);
      if (held === undefined) missing++;
      else expected += held;
    }
    return { missing, others: this.#indexes.entriesOf(index) - expected };
  }

  /**
   * Called before a commit: lets the indexes of a collection that it fills fall behind; they are built afterwards. If documents were
   * entered in the order of their arrival, each commit would write pages all over the index. Unique indexes are kept current,
   * because each write needs them.
   */
  letFallBehind(documents: readonly StoredDocument[]): void {
    if (documents.length < FILLING_COMMIT_MIN || this.#indexes.rows.all().size === 0) return;
    for (const [collection, { length }] of Map.groupBy(documents, (document) => document.collection)) {
      if (length < FILLING_COMMIT_MIN || this.#countOf(collection) >= FILLED_COLLECTION_MIN) continue;
      for (const index of this.readyOf(collection).filter(({ definition }) => !definition.isUnique))
        this.#indexes.rows.put({ ...index, state: 'building', after: null, done: 0 });
    }
  }

  /** The index to work on next; undefined: none. Space is freed first. */
  next(): HeldIndex | undefined {
    const waiting = this.#all().filter(({ state }) => state !== 'ready');
    return (
      waiting.find(({ state }) => state === 'dropping') ??
      waiting.find(({ state }) => state === 'emptying') ??
      waiting[0]
    );
  }

  /** Begins to rebuild an index that does not fit its documents. */
  rebuild(id: number): void {
    const index = this.#indexes.rows.all().get(id);
    if (index === undefined || index.state === 'dropping') return;
    this.#indexes.rows.put({ ...index, state: 'emptying', after: null, done: 0 });
  }

  /** Does one step for this index, of about `documents` documents. Returns roughly how many rows it wrote. */
  step(index: HeldIndex, documents: number): number {
    if (index.state === 'building') return this.#build(index, documents);
    if (this.#indexes.run?.indexIds.has(index.id)) this.#indexes.run = undefined;
    const entries = documents * REMOVED_PER_ENTERED;
    if (this.#indexes.removeSome(index.id, entries)) return entries;
    if (index.state === 'dropping') this.#indexes.rows.delete(index.id);
    else this.#indexes.rows.put({ ...index, state: 'building', after: null, done: 0 });
    return entries;
  }

  #build(index: HeldIndex, count: number): number {
    const run = this.#runOf(index);
    return run.isEnded ? this.#writeSome(run, count) : this.#collectSome(index, run, count);
  }

  #runOf({ id, coll, after }: HeldIndex): IndexRun {
    const held = this.#indexes.run;
    if (held?.indexIds.has(id) && held.from === after) return held;
    const alike = this.#all().filter((other) => isBuilding(other) && other.coll === coll && other.after === after);
    const ids = alike.map((other) => other.id);
    const run = new IndexRun(ids, after, this.#runSteps);
    this.#indexes.run = run;
    return run;
  }

  #collectSome({ coll }: HeldIndex, run: IndexRun, count: number): number {
    const indexes = this.#all().filter(({ id }) => run.indexIds.has(id));
    const rows = this.#documents.rowsAfter(coll, run.after ?? '', count, STEP_CHARACTERS_MAX);
    run.add(
      rows.map(({ id, document: { key, value } }) => ({
        key,
        entries: value === null ? [] : this.#indexes.entriesFor(indexes, key, id, value),
      })),
    );
    return 1;
  }

  #writeSome(run: IndexRun, count: number): number {
    const entries = run.take(count);
    for (const entry of entries) this.#indexes.enter(entry);
    if (run.isWritten) this.#finishRun(run);
    return entries.length + 1;
  }

  #finishRun({ indexIds, isLast, after, documents }: IndexRun): void {
    this.#indexes.run = undefined;
    this.#runSteps = Math.min(RUN_STEPS_MAX, 2 * this.#runSteps);
    for (const index of this.#all().filter(({ id }) => indexIds.has(id))) {
      if (isLast) this.#totals.delete(index.id);
      this.#indexes.rows.put({
        ...index,
        state: isLast ? 'ready' : 'building',
        after: isLast ? null : after,
        done: index.done + documents,
      });
    }
  }

  #all(): readonly HeldIndex[] {
    return [...this.#indexes.rows.all().values()];
  }
}

function isBuilding({ state }: HeldIndex): boolean {
  return state === 'building';
}
