import { compareBytes, type DocumentKey } from '../../../core/ids/index.ts';

/** An entry of a document that is to be written to an index. */
export interface RunEntry {
  /** Id of the index. */
  readonly idx: number;
  /** The key of the entry as upper case hex, which sorts as its bytes do. */
  readonly hex: string;
  readonly key: DocumentKey;
  /** Row id of the document. */
  readonly doc: number;
  readonly sum: number;
}

/** Bounds of a run: it holds a few megabytes, and is sorted within 15 ms. */
const ENTRIES_MAX = 32 * 1024;
const CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * A sorted run (Knuth, TAOCP 3, 5.4) of indexes that are being built: the entries of many documents are collected in memory, then
 * written in the order of the indexes. In the order of the documents they would go to pages all over a large index, and each step
 * of the build would write most of those pages again. Indexes of one collection share a run, so that documents are read once.
 *
 *     add … add → isEnded → take … take → isWritten
 *
 * The build records its progress when all entries of a run are written. The documents of a run that was lost are read again.
 */
export class IndexRun {
  readonly indexIds: ReadonlySet<number>;
  /** The last document entered before this run; null: none. */
  readonly from: string | null;
  readonly #stepsMax: number;
  #steps = 0;
  #characters = 0;
  #documents = 0;
  #after: DocumentKey | null;
  #entries: RunEntry[] = [];
  /** Documents whose entries are still to be written. */
  readonly #waiting = new Set<DocumentKey>();
  #written = 0;
  #isEnded = false;
  #isLast = false;

  /** `stepsMax`: the run ends after this number of calls of `add`. */
  constructor(indexIds: readonly number[], from: string | null, stepsMax: number) {
    this.indexIds = new Set(indexIds);
    this.from = from;
    this.#after = from as DocumentKey | null;
    this.#stepsMax = stepsMax;
  }

  /** The last document that was added. */
  get after(): DocumentKey | null {
    return this.#after;
  }

  /** Number of documents added, including those without an entry. */
  get documents(): number {
    return this.#documents;
  }

  /** Whether the collection has no document after those of this run. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** Whether the build has passed the place of this document, so that a write must enter it. */
  hasPassed(key: DocumentKey): boolean {
    return this.#isLast || (this.#after !== null && compareBytes(key, this.#after) <= 0);
  }

  /** Whether the run is complete, and must be written. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isWritten(): boolean {
    return this.#isEnded && this.#written === this.#entries.length;
  }

  /** Adds the next documents in key order, with their entries. An empty list means that there are no more documents. */
  add(documents: readonly { readonly key: DocumentKey; readonly entries: readonly RunEntry[] }[]): void {
    for (const { key, entries } of documents) {
      this.#after = key;
      this.#documents++;
      if (entries.length > 0) this.#waiting.add(key);
    }
    // Sorted stretches make the sort at the end a merge, which takes half the time.
    for (const entry of documents.flatMap(({ entries }) => entries).sort(inOrder)) {
      this.#entries.push(entry);
      this.#characters += entry.hex.length + entry.key.length;
    }
    this.#steps++;
    this.#isLast = documents.length === 0;
    const isFull = this.#entries.length >= ENTRIES_MAX || this.#characters >= CHARACTERS_MAX;
    if (this.#isLast || isFull || this.#steps >= this.#stepsMax) this.#end();
  }

  /** Drops the entries of a document that a write has changed, because the write entered it. */
  forget(key: DocumentKey): void {
    this.#waiting.delete(key);
  }

  /** The next entries to write, without those of forgotten documents. */
  take(count: number): RunEntry[] {
    const entries = this.#entries.slice(this.#written, this.#written + count);
    this.#written += entries.length;
    return entries.filter(({ key }) => this.#waiting.has(key));
  }

  #end(): void {
    this.#isEnded = true;
    this.#entries.sort(inOrder);
  }
}

function inOrder(a: RunEntry, b: RunEntry): number {
  if (a.idx !== b.idx) return a.idx - b.idx;
  if (a.hex !== b.hex) return a.hex < b.hex ? -1 : 1;
  return compareBytes(a.key, b.key);
}
