import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { StoreBatch, StoredDocument } from '../../store/index.ts';

/** Replaced entries of the log that are let be before it is cleared of them. */
const REPLACED_MIN = 64;

interface Place {
  readonly pos: number;
  readonly name: string;
}

/**
 * The newest changes in order of position, so that sessions and feeds, which follow every commit, find it in memory.
 * Holds at most `sizeMax` documents and `charactersMax` characters of JSON: beyond it the oldest are left to the store.
 */
export class RecentChanges {
  /** The newest change of each document, by collection and key, in order of position. */
  readonly #documents = new Map<string, StoredDocument>();
  /** Their names in order of position, to be searched by it; documents that changed again are in it more than once. */
  #log: Place[] = [];
  readonly #sizeMax: number;
  readonly #charactersMax: number;
  #characters = 0;
  /** Everything that changed after this position is here. */
  #from = Number.POSITIVE_INFINITY;

  constructor(sizeMax: number, charactersMax: number) {
    this.#sizeMax = sizeMax;
    this.#charactersMax = charactersMax;
  }

  /** Starts afresh at the store's newest position. */
  reset(pos: number): void {
    this.#documents.clear();
    this.#log = [];
    this.#characters = 0;
    this.#from = pos;
  }

  commit({ documents = [], removed = [] }: StoreBatch): void {
    for (const { collection, key } of removed) this.#drop(nameOf(collection, key));
    const inOrder = documents.length > 1 ? [...documents].sort((a, b) => a.pos - b.pos) : documents;
    for (const document of inOrder) {
      const name = nameOf(document.collection, document.key);
      this.#drop(name);
      this.#documents.set(name, document);
      this.#log.push({ pos: document.pos, name });
      this.#characters += charactersOf(document);
    }
    for (const [name, { pos }] of this.#documents) {
      if (this.#documents.size <= this.#sizeMax && this.#characters <= this.#charactersMax) break;
      this.#drop(name);
      this.#from = pos;
    }
    if (this.#log.length <= 2 * this.#documents.size + REPLACED_MIN) return;
    this.#log = [...this.#documents].map(([name, { pos }]) => ({ pos, name }));
  }

  /** The first `limit` changes after `pos`, or undefined where that is too long ago. */
  after(pos: number, limit: number): StoredDocument[] | undefined {
    if (pos < this.#from) return undefined;
    const found: StoredDocument[] = [];
    for (let i = this.#firstAfter(pos); i < this.#log.length && found.length < limit; i++) {
      const place = this.#log[i]!;
      const document = this.#documents.get(place.name);
      if (document?.pos === place.pos) found.push(document);
    }
    return found;
  }

  /** Where the changes after `pos` begin in the log. */
  #firstAfter(pos: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#log[middle]!.pos <= pos) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #drop(name: string): void {
    const held = this.#documents.get(name);
    if (held === undefined) return;
    this.#characters -= charactersOf(held);
    this.#documents.delete(name);
  }
}

function charactersOf({ versions }: StoredDocument): number {
  let characters = 0;
  for (const { value } of versions) characters += value?.length ?? 0;
  return characters;
}

/** Names of collections hold no control characters. */
function nameOf(collection: CollectionName, key: DocumentKey): string {
  return `${collection}\u0000${key}`;
}
