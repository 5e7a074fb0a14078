import { type Hlc, nextHlc, observeHlc } from '../../core/clock/index.ts';
import { type DocumentState, isDead } from '../../core/document/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import {
  type Check,
  type Dot,
  FIRST_CHECK,
  FingerprintSum,
  type Knowledge,
  type Known,
  newerKnown,
  nextCheck,
  type PurgeLine,
} from '../../core/version/index.ts';
import type {
  EntryRow,
  GoneDocument,
  GoneReason,
  Head,
  MetaName,
  StoreBatch,
  StoredDocument,
} from '../../store/index.ts';
import { type CollectionState, collectionRow } from './collection-state.ts';

/** What a draft needs from the replica that it will change. */
export interface DraftBase {
  readonly head: Head;
  readonly wallMs: number;
  readonly clockDriftMsMax: number;
  /** Whether other nodes' clocks agree with `wallMs`. */
  readonly isClockConfirmed: () => boolean;
  collection(name: CollectionName): CollectionState;
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey>;
  resolve(collection: CollectionName, document: DocumentState): string | null;
  /** The collection's resolver, as `name@revision`. */
  resolver(collection: CollectionName): string;
}

/**
 * R3: stands for the resolver of a collection whose values were made by more than one. No resolver has this name, so all
 * values are made again, by whichever resolver the program has then.
 */
const SEVERAL_RESOLVERS = 'several';

/** From this number of documents on, one lookup for all is cheaper than one for each. */
const EXPECT_MIN = 8;

interface TouchedCollection {
  readonly before: CollectionState;
  documents: number;
  readonly sum: FingerprintSum;
  knowledge: Map<ReplicaId, Known> | undefined;
  purged: Map<ReplicaId, number> | undefined;
  forget: boolean;
  state: CollectionState['state'];
  resolver: string;
}

/** A document that a draft changes: before and after, and the value that readers see afterwards. */
export interface DraftedChange {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly before: StoredDocument | undefined;
  /** Undefined: its row is removed. */
  readonly after: StoredDocument | undefined;
  /** JSON text; null: readers see no document. */
  readonly value: string | null;
}

/** A document that has siblings after a change of a draft: before and after the change. */
export interface Contested {
  readonly before: StoredDocument | undefined;
  readonly after: StoredDocument;
}

export interface CommittedDraft {
  readonly batch: StoreBatch;
  readonly head: Head;
  readonly collections: readonly CollectionState[];
  readonly changed: readonly StoredDocument[];
  readonly removed: readonly GoneDocument[];
}

/**
 * A commit in the making. Its reads include its own changes, and nothing outside changes until the replica commits it. Rows,
 * knowledge, fingerprint and change position are written in one transaction (R1), so memory and disk never disagree.
 */
export class Draft {
  readonly #base: DraftBase;
  readonly #documents = new Map<CollectionName, Map<DocumentKey, StoredDocument | null>>();
  readonly #removed: GoneDocument[] = [];
  readonly #touched = new Map<CollectionName, TouchedCollection>();
  readonly #digests: Uint8Array[] = [];
  readonly #entries: EntryRow[] = [];
  readonly #contested: Contested[] = [];
  readonly #changes: DraftedChange[] = [];
  readonly #meta = new Map<string, string | null>();
  readonly #absent = new Map<CollectionName, ReadonlySet<DocumentKey>>();
  #replica: ReplicaId;
  #seq: number;
  #check: Check;
  #hlc: Hlc;
  #pos: number;
  #newLife = false;

  constructor(base: DraftBase) {
    this.#base = base;
    ({ replica: this.#replica, seq: this.#seq, check: this.#check, hlc: this.#hlc, pos: this.#pos } = base.head);
  }

  get replica(): ReplicaId {
    return this.#replica;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Documents that have siblings after a change of this draft, in order of the changes. */
  get contested(): readonly Contested[] {
    return this.#contested;
  }

  /** All changes of documents in order, except evictions. */
  get changes(): readonly DraftedChange[] {
    return this.#changes;
  }

  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    const drafted = this.#documents.get(collection)?.get(key);
    if (drafted !== undefined) return drafted ?? undefined;
    return this.#absent.get(collection)?.has(key) ? undefined : this.#base.read(collection, key);
  }

  /** Finds out in one pass which documents of a batch are new, so they need not be looked up one by one. */
  expect(documents: readonly { readonly collection: CollectionName; readonly key: DocumentKey }[]): void {
    if (documents.length < EXPECT_MIN) return;
    const keys = new Map<CollectionName, DocumentKey[]>();
    for (const { collection, key } of documents) {
      const held = keys.get(collection);
      if (held === undefined) keys.set(collection, [key]);
      else held.push(key);
    }
    for (const [collection, wanted] of keys) this.#absent.set(collection, this.#base.absent(collection, wanted));
  }

  collection(name: CollectionName): CollectionState {
    const touched = this.#touched.get(name);
    return touched === undefined ? this.#base.collection(name) : finished(touched);
  }

  /** R1: the dot and stamp of the next local write. */
  nextWrite(): { replica: ReplicaId; seq: number; hlc: Hlc } {
    this.#seq++;
    this.#hlc = nextHlc(this.#hlc, this.#base.wallMs, this.#base.isClockConfirmed);
    return { replica: this.#replica, seq: this.#seq, hlc: this.#hlc };
  }

  /** R10: advances the clock to a remote stamp, as far as the wall clock of this node allows. */
  observe(stamp: Hlc): void {
    this.#hlc = observeHlc(this.#hlc, stamp, this.#base.wallMs, this.#base.clockDriftMsMax);
  }

  /** Adds a local write that `put` stores to the chain, and to this replica's entry in the knowledge of its collection. */
  signOwn(collection: CollectionName, digest: Uint8Array): void {
    this.#digests.push(digest);
    this.#touch(collection).knowledge ??= new Map();
  }

  put(
    collection: CollectionName,
    key: DocumentKey,
    before: StoredDocument | undefined,
    after: DocumentState,
  ): StoredDocument {
    const touched = this.#touch(collection);
    if (before !== undefined) for (const version of before.versions) touched.sum.remove(version.digest);
    for (const version of after.versions) touched.sum.add(version.digest);
    const value = this.#base.resolve(collection, after);
    touched.documents += (value === null ? 0 : 1) - (before === undefined || before.value === null ? 0 : 1);
    const stored: StoredDocument = {
      collection,
      key,
      pos: ++this.#pos,
      versions: after.versions,
      lineFirst: after.lineFirst,
      lineReplica: after.lineReplica,
      deadAt: isDead(after) ? (before?.deadAt ?? this.#base.wallMs) : null,
      value,
    };
    this.#drafted(collection).set(key, stored);
    this.#changes.push({ collection, key, before, after: stored, value });
    if (after.versions.length > 1) {
      this.#contested.push({ before, after: stored });
      if (touched.resolver !== this.#base.resolver(collection)) touched.resolver = SEVERAL_RESOLVERS;
    }
    return stored;
  }

  /** Removes a row, and notes the reason in the log of removals, for `watch`. */
  remove(before: StoredDocument, why: GoneReason): void {
    const touched = this.#touch(before.collection);
    for (const version of before.versions) touched.sum.remove(version.digest);
    if (before.value !== null) touched.documents--;
    this.#drafted(before.collection).set(before.key, null);
    const { collection, key } = before;
    if (why !== 'evicted') this.#changes.push({ collection, key, before, after: undefined, value: null });
    const deadSince = before.value === null ? before.pos : null;
    this.#removed.push({ collection: before.collection, key: before.key, pos: ++this.#pos, why, deadSince });
  }

  /** R11: removes a row that cannot be read. Its part of the sums is unknown; see `Recount`. */
  removeDamaged(collection: CollectionName, key: DocumentKey): void {
    this.#touch(collection);
    this.#drafted(collection).set(key, null);
    this.#removed.push({ collection, key, pos: ++this.#pos, why: 'damaged', deadSince: null });
  }

  /** R11: replaces the sums that follow from the changes by counted ones. */
  recount(collection: CollectionName, documents: number, sum: FingerprintSum): void {
    const touched = this.#touch(collection);
    this.#touched.set(collection, { ...touched, documents, sum });
  }

  know(collection: CollectionName, replica: ReplicaId, known: Known): void {
    const touched = this.#touch(collection);
    const held =
      touched.knowledge?.get(replica) ?? (touched.forget ? undefined : touched.before.knowledge.get(replica));
    touched.knowledge ??= new Map();
    touched.knowledge.set(replica, newerKnown(held, known));
  }

  /** R9: sets an entry, even to a lower seq. */
  lowerKnowledge(collection: CollectionName, replica: ReplicaId, known: Known): void {
    const touched = this.#touch(collection);
    touched.knowledge ??= new Map();
    touched.knowledge.set(replica, known);
  }

  forgetKnowledge(collection: CollectionName): void {
    const touched = this.#touch(collection);
    touched.forget = true;
    touched.knowledge = new Map();
  }

  /** Touches the collection only if the line rises: a claim that brings nothing new is then no commit, and needs no sync. */
  raisePurgeLine(collection: CollectionName, line: PurgeLine | readonly Dot[]): void {
    const entries: Iterable<readonly [ReplicaId, number]> =
      line instanceof Map ? line : (line as readonly Dot[]).map((dot) => [dot.replica, dot.seq] as const);
    const { purged } = this.#touched.get(collection)?.before ?? this.#base.collection(collection);
    for (const [replica, seq] of entries) {
      const raised = this.#touched.get(collection)?.purged;
      if (seq <= (raised?.get(replica) ?? purged.get(replica) ?? 0)) continue;
      const touched = this.#touch(collection);
      touched.purged ??= new Map();
      touched.purged.set(replica, seq);
    }
  }

  setState(collection: CollectionName, state: CollectionState['state']): void {
    this.#touch(collection).state = state;
  }

  /** R3: notes the resolver that made all values of the collection, as `name@revision`. */
  setResolver(collection: CollectionName, resolver: string): void {
    this.#touch(collection).resolver = resolver;
  }

  /** R3: resolves the versions of a document again. Changes nothing if the value stays the same. */
  resolveAgain(document: StoredDocument): void {
    if (this.#base.resolve(document.collection, document) === document.value) return;
    this.put(document.collection, document.key, document, document);
  }

  /** R9: from now on, writes carry the new id. */
  beginLife(replica: ReplicaId): void {
    this.#replica = replica;
    this.#seq = 0;
    this.#check = FIRST_CHECK;
    this.#newLife = true;
    this.#digests.length = 0;
  }

  entry(row: EntryRow): void {
    this.#entries.push(row);
  }

  meta(name: MetaName, text: string | null): void {
    this.#meta.set(name, text);
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0 && this.#entries.length === 0 && this.#meta.size === 0 && !this.#newLife;
  }

  finish(): CommittedDraft {
    const check = this.#digests.length === 0 ? this.#check : nextCheck(this.#check, this.#digests);
    const head: Head = { replica: this.#replica, seq: this.#seq, check, hlc: this.#hlc, pos: this.#pos };
    const signed = this.#digests.length > 0;
    if (signed) this.#knowOwn(head);
    const collections = [...this.#touched.values()].map(finished);
    const changed = [...this.#documents.values()].flatMap((byKey) => [...byKey.values()].filter((d) => d !== null));
    const batch: StoreBatch = {
      head,
      chain: signed,
      resetChain: this.#newLife,
      documents: changed,
      removed: this.#removed.filter((gone) => this.#documents.get(gone.collection)?.get(gone.key) === null),
      collections: collections.map(collectionRow),
      forget: [...this.#touched.values()].filter((t) => t.forget).map((t) => t.before.name),
      knowledge: [...this.#touched.values()].flatMap((t) =>
        [...(t.knowledge ?? [])].map(([replica, known]) => ({ collection: t.before.name, replica, ...known })),
      ),
      purged: [...this.#touched.values()].flatMap((t) =>
        [...(t.purged ?? [])].map(([replica, seq]) => ({ collection: t.before.name, replica, seq })),
      ),
      meta: this.#meta,
      entries: this.#entries,
    };
    return { batch, head, collections, changed, removed: batch.removed ?? [] };
  }

  #knowOwn(head: Head): void {
    const own: Known = { seq: head.seq, check: head.check };
    for (const touched of this.#touched.values()) {
      if (touched.knowledge === undefined) continue;
      touched.knowledge.set(head.replica, own);
    }
  }

  #drafted(collection: CollectionName): Map<DocumentKey, StoredDocument | null> {
    const held = this.#documents.get(collection);
    if (held !== undefined) return held;
    const byKey = new Map<DocumentKey, StoredDocument | null>();
    this.#documents.set(collection, byKey);
    return byKey;
  }

  #touch(name: CollectionName): TouchedCollection {
    let touched = this.#touched.get(name);
    if (touched === undefined) {
      const before = this.#base.collection(name);
      touched = {
        before,
        documents: before.documents,
        sum: new FingerprintSum(before.fingerprint),
        knowledge: undefined,
        purged: undefined,
        forget: false,
        state: before.state,
        resolver: before.resolver,
      };
      this.#touched.set(name, touched);
    }
    return touched;
  }
}

function finished(touched: TouchedCollection): CollectionState {
  const { before, documents, sum, knowledge, purged, forget, state, resolver } = touched;
  const isVectorChanged = knowledge !== undefined || purged !== undefined;
  return {
    ...before,
    state,
    resolver,
    documents,
    fingerprint: sum.value(),
    revision: isVectorChanged ? before.revision + 1 : before.revision,
    knowledge: knowledge === undefined ? before.knowledge : withKnown(forget ? [] : before.knowledge, knowledge),
    purged: purged === undefined ? before.purged : new Map([...before.purged, ...purged]),
  };
}

/** Knowledge with newer entries. An entry that was lowered to zero (R9) is removed. */
function withKnown(before: Iterable<readonly [ReplicaId, Known]>, newer: Knowledge): Knowledge {
  const all = new Map(before);
  for (const [replica, known] of newer)
    if (known.seq === 0) all.delete(replica);
    else all.set(replica, known);
  return all;
}
