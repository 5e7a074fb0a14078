import { fullKey } from '../../core/ids/index.ts';
import type { StoreBatch, StoredDocument } from '../../store/index.ts';

/** What a line of a context or a stamp of a field takes in memory, in characters. */
const ENTRY_CHARACTERS = 50;

/**
 * The newest changes in order of position, so that sessions and feeds, which follow every commit, find them in memory.
 * Holds at most `sizeMax` changes and `charactersMax` characters, including changes that were replaced since; older ones are
 * read from the store. Holds none after more than `sizeMax` changes that nobody asked for: the next reader would be behind
 * them anyway, and in a first sync they would only cost memory and be copied by the garbage collector.
 */
export class RecentChanges {
  /** In order of position. A document that changed again is in it more than once; `after` returns only the last of these. */
  #log: (StoredDocument | undefined)[] = [];
  /** Index of the first change in the log; the places before it are empty. */
  #first = 0;
  readonly #sizeMax: number;
  readonly #charactersMax: number;
  #characters = 0;
  /** Changes committed since `after` was last called. */
  #unasked = 0;
  /** The log holds every change after this position. */
  #from = Number.POSITIVE_INFINITY;

  constructor(sizeMax: number, charactersMax: number) {
    this.#sizeMax = sizeMax;
    this.#charactersMax = charactersMax;
  }

  get size(): number {
    return this.#log.length - this.#first;
  }

  /** Starts again with an empty log at a position. */
  reset(pos: number): void {
    this.#log = [];
    this.#first = 0;
    this.#characters = 0;
    this.#from = pos;
  }

  commit({ documents = [], removed = [] }: StoreBatch): void {
    if (removed.length > 0) this.#drop(new Set(removed.map(({ collection, key }) => fullKey(collection, key))));
    const inOrder = documents.length > 1 ? [...documents].sort((a, b) => a.pos - b.pos) : documents;
    for (const document of inOrder) {
      this.#log.push(document);
      this.#characters += charactersOf(document);
    }
    this.#unasked += documents.length;
    const sizeMax = this.#unasked > this.#sizeMax ? 0 : this.#sizeMax;
    let first = this.#first;
    for (; this.#log.length - first > sizeMax || this.#characters > this.#charactersMax; first++) {
      this.#characters -= charactersOf(this.#log[first]!);
      this.#from = this.#log[first]!.pos;
    }
    this.#forget(first);
  }

  /** The first `limit` changes after `pos`; undefined if the log does not reach back that far. */
  after(pos: number, limit: number): StoredDocument[] | undefined {
    this.#unasked = 0;
    if (pos < this.#from) return undefined;
    const from = this.#firstAfter(pos);
    if (from >= this.#log.length - 1) return this.#log.slice(from, from + Math.max(0, limit)) as StoredDocument[];
    const names = new Set<string>();
    const found: StoredDocument[] = [];
    for (let i = this.#log.length - 1; i >= from; i--) {
      const document = this.#log[i]!;
      const name = fullKey(document.collection, document.key);
      if (!names.has(name)) found.push(document);
      names.add(name);
    }
    return found.reverse().slice(0, Math.max(0, limit));
  }

  /** Index in the log of the first change after `pos`. */
  #firstAfter(pos: number): number {
    let low = this.#first;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#log[middle]!.pos <= pos) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #drop(names: ReadonlySet<string>): void {
    const held = this.#log.slice(this.#first) as StoredDocument[];
    const left = held.filter(({ collection, key }) => !names.has(fullKey(collection, key)));
    this.#log = left;
    this.#first = 0;
    this.#characters = left.reduce((sum, document) => sum + charactersOf(document), 0);
  }

  /** Drops the changes before `first`. The log is copied only now and then, so the cost of a commit depends on its own size. */
  #forget(first: number): void {
    if (first <= this.#log.length / 2) {
      this.#log.fill(undefined, this.#first, first);
      this.#first = first;
      return;
    }
    this.#log = this.#log.slice(first);
    this.#first = 0;
  }
}

function charactersOf({ versions }: StoredDocument): number {
  let characters = 0;
  for (const { value, context, stamps } of versions)
    characters += (value?.length ?? 0) + ENTRY_CHARACTERS * (context.length + (stamps?.length ?? 0));
  return characters;
}
