import type { Hlc } from '../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { Version } from '../../core/version/index.ts';
import type { Store } from '../../store/index.ts';
import type { Draft } from './draft.ts';
import { newlyLost } from './lost-versions.ts';

/** One side of a conflict: who wrote it, and what. */
export interface ConflictSide {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly hlc: Hlc;
  /** JSON text; null: a delete. */
  readonly value: string | null;
}

/** An entry of the ledger as it is stored. */
export interface LedgerEntry {
  readonly id: number;
  /** Wall clock at which this node saw the two meet, ms. */
  readonly at: number;
  /** The same in the time for which the database had been in use; see LivedTime. */
  readonly lived: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** Who decided, as `name@revision`. */
  readonly resolver: string;
  readonly loser: ConflictSide;
  readonly winner: ConflictSide;
}

export interface ConflictLedgerOptions {
  /** Entries kept; the oldest is forgotten first. */
  readonly conflictsMax: number;
  /** Characters of JSON in all entries together; the oldest are forgotten first. */
  readonly conflictCharactersMax: number;
  /** Entries older than this are forgotten, ms in use. */
  readonly retentionMs: number;
  /** Who decides in a collection, as `name@revision`. */
  readonly resolverOf: (collection: CollectionName) => string;
}

/** A moment of this node. */
export type Moment = Pick<LedgerEntry, 'at' | 'lived'>;

interface Kept {
  readonly id: number;
  readonly lived: number;
  readonly characters: number;
  readonly collection: CollectionName;
  readonly dot: string;
}

/** Entries read at a time, of which each may hold two large documents. */
const PAGE_ENTRIES_MAX = 64;

/**
 * The side table `conflicts`: every version that lost to a concurrent one while this node held both, once each (I3). It goes
 * into the commit that made the two meet, so that neither can be durable without the other. Other nodes keep their own.
 */
export class ConflictLedger {
  readonly #store: Store;
  readonly #options: ConflictLedgerOptions;
  /** What is kept, oldest first; read when first needed. */
  #kept: Kept[] | undefined;
  #dots = new Set<string>();
  #characters = 0;

  constructor(store: Store, options: ConflictLedgerOptions) {
    this.#store = store;
    this.#options = options;
  }

  get count(): number {
    return this.#load().length;
  }

  /** Id of the newest entry; 0: none. */
  get newestId(): number {
    return this.#load().at(-1)?.id ?? 0;
  }

  /** Adds to the draft what its own changes made lose. */
  record(draft: Draft, now: Moment): void {
    for (const contested of draft.contested) {
      const { collection, key } = contested.after;
      for (const { loser, winner } of newlyLost(contested)) {
        if (this.#isKept(dotOf(collection, loser))) continue;
        const resolver = this.#options.resolverOf(collection);
        this.#append(draft, { ...now, collection, key, resolver, loser: sideOf(loser), winner: sideOf(winner) });
      }
    }
  }

  /** Adds to the draft that entries of before the retention go. */
  forgetOld(draft: Draft, livedMs: number): void {
    const kept = this.#load();
    while (kept.length > 0 && kept[0]!.lived < livedMs - this.#options.retentionMs) this.#forgetOldest(draft, kept);
  }

  /** The commit failed, or commits were lost: what is remembered of the table is read again. */
  reset(): void {
    this.#kept = undefined;
  }

  get(id: number): LedgerEntry | undefined {
    const [entry] = this.#store.entries('conflicts', id - 1, 1);
    return entry?.id === id ? parse(entry) : undefined;
  }

  /** Entries after that id, oldest first; at most one page. */
  after(id: number): LedgerEntry[] {
    return this.#store.entries('conflicts', id, PAGE_ENTRIES_MAX).map(parse);
  }

  /** Newest first. */
  list(collection: CollectionName | undefined, limit: number): LedgerEntry[] {
    const found: LedgerEntry[] = [];
    const kept = this.#load();
    for (let i = kept.length - 1; i >= 0 && found.length < limit; i--) {
      if (collection !== undefined && kept[i]!.collection !== collection) continue;
      const entry = this.get(kept[i]!.id);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  #isKept(dot: string): boolean {
    this.#load();
    return this.#dots.has(dot);
  }

  #append(draft: Draft, entry: Omit<LedgerEntry, 'id'>): void {
    const kept = this.#load();
    const id = this.newestId + 1;
    draft.entry({ space: 'conflicts', id, data: JSON.stringify(entry) });
    this.#remember(kept, { id, ...entry });
    const { conflictsMax, conflictCharactersMax } = this.#options;
    while (kept.length > 1 && (kept.length > conflictsMax || this.#characters > conflictCharactersMax))
      this.#forgetOldest(draft, kept);
    this.forgetOld(draft, entry.lived);
  }

  #forgetOldest(draft: Draft, kept: Kept[]): void {
    const { id, dot, characters } = kept.shift()!;
    this.#dots.delete(dot);
    this.#characters -= characters;
    draft.entry({ space: 'conflicts', id, data: null });
  }

  #load(): Kept[] {
    if (this.#kept !== undefined) return this.#kept;
    const kept: Kept[] = [];
    this.#dots = new Set();
    this.#characters = 0;
    for (let page = this.after(0); page.length > 0; page = this.after(page.at(-1)!.id))
      for (const entry of page) this.#remember(kept, entry);
    this.#kept = kept;
    return kept;
  }

  #remember(kept: Kept[], { id, lived, collection, loser, winner }: LedgerEntry): void {
    const characters = (loser.value?.length ?? 0) + (winner.value?.length ?? 0);
    const dot = dotOf(collection, loser);
    kept.push({ id, lived, characters, collection, dot });
    this.#dots.add(dot);
    this.#characters += characters;
  }
}

function parse({ id, data }: { readonly id: number; readonly data: string }): LedgerEntry {
  return { ...(JSON.parse(data) as Omit<LedgerEntry, 'id'>), id };
}

function sideOf({ replica, seq, hlc, value }: Version): ConflictSide {
  return { replica, seq, hlc, value };
}

/** One dot names one write of one document, but a forked one may name two (R9). */
function dotOf(
  collection: CollectionName,
  { replica, seq }: { readonly replica: string; readonly seq: number },
): string {
  return `${collection}\u0000${replica}:${seq}`;
}
