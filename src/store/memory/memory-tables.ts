import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import type { Check, Known } from '../../core/version/index.ts';
import { nested } from '../nested.ts';
import type {
  CollectionRow,
  Entry,
  EntrySpace,
  GoneDocument,
  Head,
  LogLimits,
  Store,
  StoreBatch,
  StoredDocument,
  StoredVersion,
} from '../store.ts';
import { SortedMap } from './sorted-map.ts';

/** Restores one changed cell. */
type Undo = () => void;

/** Documents of one collection, by key and by dot. */
interface DocumentTable {
  readonly byKey: SortedMap<DocumentKey, StoredDocument>;
  /** Live versions. A dot has more than one only if two lives violated R9. */
  readonly byDot: Map<ReplicaId, SortedMap<number, readonly StoredVersion[]>>;
}

/** The versions of one dot. There are several only if two lives violated R9. */
function inKeyOrder(rows: readonly StoredVersion[]): readonly StoredVersion[] {
  return rows.length === 1 ? rows : [...rows].sort((a, b) => compareBytes(a.key, b.key));
}

const compareNumbers = (a: number, b: number): number => a - b;

/** The whole content of a store, with an undo log of the commits that are not durable yet. */
export class MemoryTables {
  readonly documents = new Map<CollectionName, DocumentTable>();
  readonly byPos = new SortedMap<number, StoredDocument>(compareNumbers);
  readonly dead = new Set<StoredDocument>();
  readonly gone = new SortedMap<number, GoneDocument>(compareNumbers);
  readonly chain = new SortedMap<number, Check>(compareNumbers);
  readonly collections = new Map<CollectionName, CollectionRow>();
  readonly knowledge = new Map<CollectionName, Map<ReplicaId, Known>>();
  readonly purgeLines = new Map<CollectionName, Map<ReplicaId, number>>();
  readonly meta = new Map<string, string>();
  readonly entries = new Map<EntrySpace, SortedMap<number, Entry>>();
  head: Head | undefined;
  goneFrom = 0;

  /** One undo list per commit since the last durable one, oldest first. */
  #undurable: Undo[][] = [];
  #undo: Undo[] = [];

  get undurableCommits(): number {
    return this.#undurable.length;
  }

  /** Marks the first `count` of the commits not yet durable as durable. */
  markDurable(count: number): void {
    this.#undurable = count >= this.#undurable.length ? [] : this.#undurable.slice(count);
  }

  /** See `Store.delta`. */
  readonly delta: Store['delta'] = (collection, replica, afterSeq, limit, charactersMax = Number.POSITIVE_INFINITY) => {
    const found: StoredVersion[] = [];
    let characters = 0;
    const take = (rows: readonly StoredVersion[]): boolean => {
      for (const row of inKeyOrder(rows)) {
        found.push(row);
        characters += row.version.value?.length ?? 0;
      }
      return found.length < limit && characters < charactersMax;
    };
    if (limit > 0) this.documents.get(collection)?.byDot.get(replica)?.forEachAfter(afterSeq, take);
    return found;
  };

  /** Undoes the commits that are not durable, except the first `kept` of them, which become durable. */
  revert(kept = 0): void {
    while (this.#undurable.length > kept) {
      const commit = this.#undurable.pop()!;
      for (let i = commit.length - 1; i >= 0; i--) commit[i]!();
    }
    this.#undurable = [];
    this.#undo = [];
  }

  /** An independent copy in which all commits, also those not durable here, are durable. */
  clone(): MemoryTables {
    const copy = new MemoryTables();
    for (const table of this.documents.values()) for (const document of table.byKey.values()) copy.#place(document);
    this.gone.forEachAfter(null, (row, pos) => copy.gone.set(pos, row));
    this.chain.forEachAfter(null, (check, seq) => copy.chain.set(seq, check));
    for (const [name, row] of this.collections) copy.collections.set(name, row);
    for (const [name, known] of this.knowledge) copy.knowledge.set(name, new Map(known));
    for (const [name, line] of this.purgeLines) copy.purgeLines.set(name, new Map(line));
    for (const [name, text] of this.meta) copy.meta.set(name, text);
    for (const [space, rows] of this.entries) copy.entries.set(space, rows.clone());
    copy.head = this.head;
    copy.goneFrom = this.goneFrom;
    return copy;
  }

  apply(batch: StoreBatch, limits: LogLimits): void {
    this.#undo = [];
    if (batch.head !== undefined) this.#setHead(batch.head);
    if (batch.resetChain) this.#resetChain();
    if (batch.chain && batch.head !== undefined) this.#addCheck(batch.head, limits.chainLengthMax);
    for (const row of batch.removed ?? []) this.#remove(row, limits.goneLogMax);
    for (const document of batch.documents ?? []) this.#putDocument(document.collection, document.key, document);
    for (const row of batch.collections ?? []) this.#set(this.collections, row.name, Object.freeze({ ...row }));
    for (const name of batch.forget ?? []) this.#set(this.knowledge, name, new Map());
    for (const { collection, replica, seq, check } of batch.knowledge ?? []) {
      this.#set(nested(this.knowledge, collection), replica, Object.freeze({ seq, check }));
    }
    for (const { collection, replica, seq } of batch.purged ?? []) {
      this.#set(nested(this.purgeLines, collection), replica, seq);
    }
    for (const [name, text] of batch.meta ?? []) this.#set(this.meta, name, text ?? undefined);
    for (const { space, id, data } of batch.entries ?? []) {
      this.#set(this.#entriesOf(space), id, data === null ? undefined : Object.freeze({ id, data }));
    }
    this.#undurable.push(this.#undo);
  }

  /** Removes a row for good, as a damaged disk does: not even a crash brings it back. */
  loseDocument(collection: CollectionName, key: DocumentKey): void {
    this.#undo = [];
    this.#putDocument(collection, key, undefined);
  }

  #putDocument(collection: CollectionName, key: DocumentKey, document: StoredDocument | undefined): void {
    const before = this.documents.get(collection)?.byKey.get(key);
    if (before !== undefined) this.#unplace(before);
    if (document !== undefined) this.#place(freezeDocument(document));
    this.#undo.push(() => {
      const now = this.documents.get(collection)?.byKey.get(key);
      if (now !== undefined) this.#unplace(now);
      if (before !== undefined) this.#place(before);
    });
  }

  #place(document: StoredDocument): void {
    const { collection, key } = document;
    const table = this.#tableOf(collection);
    table.byKey.set(key, document);
    this.byPos.set(document.pos, document);
    if (document.deadAt !== null) this.dead.add(document);
    for (const version of document.versions) {
      let bySeq = table.byDot.get(version.replica);
      if (bySeq === undefined) {
        bySeq = new SortedMap(compareNumbers);
        table.byDot.set(version.replica, bySeq);
      }
      const row = { collection, key, version };
      const others = bySeq.get(version.seq);
      bySeq.set(version.seq, others === undefined ? [row] : [...others, row]);
    }
  }

  #unplace(document: StoredDocument): void {
    const table = this.#tableOf(document.collection);
    table.byKey.set(document.key, undefined);
    if (this.byPos.get(document.pos) === document) this.byPos.set(document.pos, undefined);
    this.dead.delete(document);
    for (const { replica, seq } of document.versions) {
      const bySeq = table.byDot.get(replica);
      const others = bySeq?.get(seq)?.filter((row) => row.key !== document.key);
      bySeq?.set(seq, others?.length ? others : undefined);
    }
  }

  #tableOf(collection: CollectionName): DocumentTable {
    let table = this.documents.get(collection);
    if (table === undefined) {
      table = { byKey: new SortedMap<DocumentKey, StoredDocument>(compareBytes), byDot: new Map() };
      this.documents.set(collection, table);
    }
    return table;
  }

  #entriesOf(space: EntrySpace): SortedMap<number, Entry> {
    let rows = this.entries.get(space);
    if (rows === undefined) {
      rows = new SortedMap(compareNumbers);
      this.entries.set(space, rows);
    }
    return rows;
  }

  #remove(row: GoneDocument, logMax: number): void {
    this.#putDocument(row.collection, row.key, undefined);
    this.#set(this.gone, row.pos, Object.freeze({ ...row }));
    while (this.gone.size > logMax) this.#forgetOldestGone();
  }

  #forgetOldestGone(): void {
    const oldest = this.gone.firstKey()!;
    const before = this.goneFrom;
    this.#undo.push(() => {
      this.goneFrom = before;
    });
    this.#set(this.gone, oldest, undefined);
    this.goneFrom = Math.max(before, oldest);
  }

  #setHead(head: Head): void {
    const before = this.head;
    this.#undo.push(() => {
      this.head = before;
    });
    this.head = Object.freeze({ ...head });
  }

  #resetChain(): void {
    for (let seq = this.chain.firstKey(); seq !== undefined; seq = this.chain.firstKey()) {
      this.#set(this.chain, seq, undefined);
    }
  }

  #addCheck(head: Head, lengthMax: number): void {
    this.#set(this.chain, head.seq, head.check);
    while (this.chain.size > lengthMax) this.#set(this.chain, this.chain.firstKey()!, undefined);
  }

  /** Sets one cell of a table (undefined removes it) and remembers its former value for undo. */
  #set<K, V>(table: Map<K, V> | SortedMap<K, V>, key: K, value: V | undefined): void {
    const before = table.get(key);
    setCell(table, key, value);
    this.#undo.push(() => setCell(table, key, before));
  }
}

function setCell<K, V>(table: Map<K, V> | SortedMap<K, V>, key: K, value: V | undefined): void {
  if (table instanceof SortedMap) table.set(key, value);
  else if (value === undefined) table.delete(key);
  else table.set(key, value);
}

function freezeDocument(document: StoredDocument): StoredDocument {
  if (Object.isFrozen(document)) return document;
  for (const version of document.versions) Object.freeze(version);
  Object.freeze(document.versions);
  return Object.freeze(document);
}
