import type { Hlc } from '../../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../../core/ids/index.ts';
import type { Version } from '../../../core/version/index.ts';
import type { Store } from '../../../store/index.ts';
import type { Draft } from '../draft.ts';
import { type LedgerHead, LedgerHeads } from './ledger-heads.ts';
import { newlyLost } from './lost-versions.ts';

/** One side of a conflict: a write and its author. */
export interface ConflictSide {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly hlc: Hlc;
  /** JSON text; null: a delete. */
  readonly value: string | null;
}

/** An entry of the ledger. */
export interface LedgerEntry {
  readonly id: number;
  /** When this node detected the conflict, by its wall clock, in ms since 1970. */
  readonly at: number;
  /** The same in ms of the time that the database was in use; see LivedTime. */
  readonly lived: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** The resolver that decided, as `name@revision`. */
  readonly resolver: string;
  readonly loser: ConflictSide;
  readonly winner: ConflictSide;
}

export interface ConflictLedgerOptions {
  /** Maximum number of entries; beyond it the oldest are forgotten. */
  readonly conflictsMax: number;
  /** Maximum characters of JSON in all entries; beyond it the oldest are forgotten. */
  readonly conflictCharactersMax: number;
  /** How long entries are kept, in ms of the time that the database is in use. */
  readonly retentionMs: number;
  /** The resolver of a collection, as `name@revision`. */
  readonly resolverOf: (collection: CollectionName) => string;
}

/** A moment on this node. */
export type Moment = Pick<LedgerEntry, 'at' | 'lived'>;

/** Entries read at a time; each may hold two large documents. */
const PAGE_ENTRIES_MAX = 64;

/**
 * The side table `conflicts`: every version that lost to a concurrent one while this node held both, each of them once (I3).
 * An entry is part of the commit that brought the two together, so neither is durable without the other. Each node keeps a
 * ledger of its own. Memory keeps the heads of the entries.
 */
export class ConflictLedger {
  readonly #store: Store;
  readonly #options: ConflictLedgerOptions;
  readonly #heads: LedgerHeads;
  /** The heads of the entries, oldest first; loaded on first use. */
  #kept: LedgerHead[] | undefined;
  #dots = new Set<string>();
  #characters = 0;

  constructor(store: Store, options: ConflictLedgerOptions) {
    this.#store = store;
    this.#options = options;
    this.#heads = new LedgerHeads(store, (entry) => headOf(parse(entry)));
  }

  get count(): number {
    return this.#load().length;
  }

  /** Id of the newest entry; 0 if there is none. */
  get newestId(): number {
    return this.#load().at(-1)?.id ?? 0;
  }

  /** Adds the versions that lost by the changes of the draft to it. */
  record(draft: Draft, now: Moment): void {
    for (const contested of draft.contested) {
      const { collection, key } = contested.after;
      for (const { loser, winner } of newlyLost(contested)) {
        if (this.#isKept(dotOf(collection, writeOf(key, loser)))) continue;
        const resolver = this.#options.resolverOf(collection);
        this.#append(draft, { ...now, collection, key, resolver, loser: sideOf(loser), winner: sideOf(winner) });
      }
    }
  }

  /** Adds the deletion of entries older than the retention to the draft. */
  forgetOld(draft: Draft, livedMs: number): void {
    const kept = this.#load();
    while (kept.length > 0 && kept[0]!.lived < livedMs - this.#options.retentionMs) this.#forgetOldest(draft, kept);
  }

  /** Drops what is in memory, so it is read again: a commit failed, or commits were lost. */
  reset(): void {
    this.#kept = undefined;
  }

  get(id: number): LedgerEntry | undefined {
    const [entry] = this.#store.entries('conflicts', id - 1, 1);
    return entry?.id === id ? parse(entry) : undefined;
  }

  /** The entries after an id, oldest first; at most one page. */
  after(id: number): LedgerEntry[] {
    return this.#store.entries('conflicts', id, PAGE_ENTRIES_MAX).map(parse);
  }

  /** The newest entries, newest first. */
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
    this.#remember(kept, headOf({ id, ...entry }));
    this.#heads.added(draft, kept);
    const { conflictsMax, conflictCharactersMax } = this.#options;
    while (kept.length > 1 && (kept.length > conflictsMax || this.#characters > conflictCharactersMax))
      this.#forgetOldest(draft, kept);
    this.forgetOld(draft, entry.lived);
  }

  #forgetOldest(draft: Draft, kept: LedgerHead[]): void {
    const { id, collection, write, characters } = kept.shift()!;
    this.#dots.delete(dotOf(collection, write));
    this.#characters -= characters;
    draft.entry({ space: 'conflicts', id, data: null });
    this.#heads.forgotten(draft, id);
  }

  #load(): LedgerHead[] {
    if (this.#kept !== undefined) return this.#kept;
    const kept: LedgerHead[] = [];
    this.#dots = new Set();
    this.#characters = 0;
    for (const head of this.#heads.read()) this.#remember(kept, head);
    this.#kept = kept;
    return kept;
  }

  #remember(kept: LedgerHead[], head: LedgerHead): void {
    kept.push(head);
    this.#dots.add(dotOf(head.collection, head.write));
    this.#characters += head.characters;
  }
}

function parse({ id, data }: { readonly id: number; readonly data: string }): LedgerEntry {
  return { ...(JSON.parse(data) as Omit<LedgerEntry, 'id'>), id };
}

function headOf({ id, lived, collection, key, loser, winner }: LedgerEntry): LedgerHead {
  const characters = (loser.value?.length ?? 0) + (winner.value?.length ?? 0);
  return { id, lived, characters, collection, write: writeOf(key, loser) };
}

function sideOf({ replica, seq, hlc, value }: Version): ConflictSide {
  return { replica, seq, hlc, value };
}

/** A dot names one write of one document; after a fork it may name two (R9), hence collection and key. */
function dotOf(collection: CollectionName, write: string): string {
  return `${collection}\u0000${write}`;
}

function writeOf(key: DocumentKey, { replica, seq }: { readonly replica: string; readonly seq: number }): string {
  return `${key}\u0000${replica}:${seq}`;
}
