import type { LoopShare } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import { ConcurrencyError } from '../../core/errors/index.ts';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { compareBySort, isAfter, type JsonObject, matches, type Query } from '../../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../../store/index.ts';
import type { DocumentCache } from '../cache/index.ts';
import type { DocumentHost } from '../document-host.ts';
import { after, type Eventually } from '../eventually.ts';
import { type CommitNotice, type LocalWrite, tooLarge, versionToken } from '../replica/index.ts';
import type { Turns } from '../turns.ts';
import type { Existed } from '../writer.ts';
import { type Place, ReadSet } from './read-set.ts';

type Written = Map<DocumentKey, string | null>;

/** Thrown by a read of a transaction after something that it had read has changed. `Transactions` catches it and retries. */
class Interrupted extends Error {}

/**
 * One run of a transaction. Reads go to the database, are recorded, and include the writes of the transaction itself, which
 * are kept here until the end. After anything it has read changes, the next read throws, so all reads show the same moment.
 */
export class TransactionHost implements DocumentHost {
  readonly limits: Limits;
  readonly logger: Logger;
  readonly cache: DocumentCache;
  readonly turns: Turns;
  readonly loopShare: LoopShare;
  readonly workShare: LoopShare;
  /** The database. */
  readonly base: DocumentHost;
  readonly #mayWait: boolean;
  readonly #reads: ReadSet;
  readonly #written = new Map<CollectionName, Written>();
  #documents = 0;
  #characters = 0;
  #changed: Place | undefined;
  #isLost = false;
  #isInterrupted = false;
  #isOver = false;

  /** `mayWait`: whether long queries run outside the event loop, during which others may write. */
  constructor(base: DocumentHost, mayWait: boolean) {
    this.base = base;
    this.#mayWait = mayWait;
    this.limits = base.limits;
    this.logger = base.logger;
    this.cache = base.cache;
    this.turns = base.turns;
    this.loopShare = base.loopShare;
    this.workShare = base.workShare;
    this.#reads = new ReadSet(base.limits.transactionReadsMax);
  }

  /** Whether anything that was read has changed since. Then the writes must not be committed. */
  get isStale(): boolean {
    return this.#isLost || this.#changed !== undefined;
  }

  /** What has changed, if it is known. */
  get changed(): Place | undefined {
    return this.#changed;
  }

  /** Whether a read or the commit failed because something has changed. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The error for a read or the commit if something has changed. Marks this run as interrupted, so it is run again. */
  refusal(): Interrupted | undefined {
    if (!this.isStale) return undefined;
    this.#isInterrupted = true;
    return new Interrupted('what this transaction read has changed; it is run again');
  }

  /** The writes, by collection, in the order in which the documents were first written. */
  writes(): LocalWrite[] {
    return [...this.#written].flatMap(([collection, documents]) =>
      [...documents].map(([key, value]) => ({ collection, key, value })),
    );
  }

  /** Takes note of a commit of others. */
  committed(notice: Pick<CommitNotice, 'changed' | 'removed'>): void {
    this.#changed ??= this.#reads.touchedBy(notice);
  }

  /** Takes note that commits were lost, which this run may have read. */
  lost(): void {
    this.#isLost = true;
  }

  /** Makes every later call throw. */
  end(): void {
    this.#isOver = true;
  }

  async write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<Existed> {
    this.#assertRunning();
    const existed = writes.map((write) => this.#checked(write));
    const written = this.#writtenIn(collection);
    for (const { key, value } of writes) this.#keep(written, key, value);
    return existed;
  }

  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    this.#assertRunning();
    const value = this.#written.get(collection)?.get(key);
    if (value !== undefined) return writtenRow(collection, key, value);
    this.#reads.addDocument(collection, key);
    return this.#unchanged(() => this.base.read(collection, key));
  }

  find(collection: CollectionName, query: Query): FoundDocument[] {
    const { asked, merged } = this.#question(collection, query);
    return merged(this.#unchanged(() => this.base.find(collection, asked)));
  }

  findAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<FoundDocument[]> {
    if (!this.#mayWait) return this.find(collection, query);
    const { asked, merged } = this.#question(collection, query);
    return after(this.base.findAside(collection, asked, signal), (stored) => merged(this.#still(stored)));
  }

  count(collection: CollectionName, query: Query): number {
    this.#readsAllOf(collection);
    return this.#withWrittenOf(
      collection,
      query,
      this.#unchanged(() => this.base.count(collection, query)),
    );
  }

  countAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<number> {
    if (!this.#mayWait) return this.count(collection, query);
    this.#readsAllOf(collection);
    return after(this.base.countAside(collection, query, signal), (count) =>
      this.#withWrittenOf(collection, query, this.#still(count)),
    );
  }

  async *scan(
    collection: CollectionName,
    signal: AbortSignal | undefined,
    afterKey: DocumentKey | null = null,
  ): AsyncGenerator<readonly StoredDocument[]> {
    this.#assertRunning();
    this.#reads.addCollection(collection);
    let after = afterKey;
    for await (const page of this.base.scan(collection, signal, afterKey)) {
      this.#assertRunning();
      this.#unchanged(() => undefined);
      const last = page.at(-1)?.key;
      if (last === undefined) break;
      yield this.#withWritten(collection, page, after, last);
      after = last;
    }
    yield this.#withWritten(collection, [], after, undefined);
  }

  lookForOlder(collection: CollectionName, version: number, signal: AbortSignal | undefined): Eventually<void> {
    return this.#mayWait ? this.base.lookForOlder(collection, version, signal) : undefined;
  }

  hasOlder(collection: CollectionName, version: number): boolean {
    return this.base.hasOlder(collection, version);
  }

  newKey(): DocumentKey {
    return this.base.newKey();
  }

  counterOf(collection: CollectionName): ReplicaId | undefined {
    return this.base.counterOf(collection);
  }

  #readsAllOf(collection: CollectionName): void {
    this.#assertRunning();
    this.#reads.addCollection(collection);
  }

  /** The query for the database, and a function that merges the writes so far into its answer. */
  #question(
    collection: CollectionName,
    query: Query,
  ): { readonly asked: Query; readonly merged: (stored: FoundDocument[]) => FoundDocument[] } {
    this.#readsAllOf(collection);
    const written = new Map(this.#written.get(collection));
    if (written.size === 0) return { asked: query, merged: (stored) => stored };
    const merged = (stored: FoundDocument[]): FoundDocument[] => {
      const found = stored.filter(({ key }) => !written.has(key));
      for (const [key, value] of written) {
        if (value !== null && isFound(key, JSON.parse(value), query)) found.push({ key, value });
      }
      return sorted(found, query).slice(query.skip, query.skip + query.limit);
    };
    return { asked: { ...query, skip: 0, limit: query.skip + query.limit + written.size }, merged };
  }

  /** Corrects a count of stored documents by the writes so far. */
  #withWrittenOf(collection: CollectionName, { filter }: Query, stored: number): number {
    const fits = (value: string | null | undefined): number =>
      typeof value === 'string' && matches(filter, JSON.parse(value)) ? 1 : 0;
    let count = stored;
    for (const [key, value] of this.#written.get(collection) ?? [])
      count += fits(value) - fits(this.#unchanged(() => this.base.read(collection, key))?.value);
    return count;
  }

  /** The rows of a page, merged with the written rows whose keys are above `after` and up to `last`. */
  #withWritten(
    collection: CollectionName,
    page: readonly StoredDocument[],
    after: DocumentKey | null,
    last: DocumentKey | undefined,
  ): StoredDocument[] {
    const written = this.#written.get(collection) ?? new Map<DocumentKey, string | null>();
    const rows = page.filter(({ key }) => !written.has(key));
    for (const [key, value] of written) {
      const isIn =
        (after === null || compareBytes(key, after) > 0) && (last === undefined || compareBytes(key, last) <= 0);
      if (isIn) rows.push(writtenRow(collection, key, value));
    }
    return rows.sort((a, b) => compareBytes(a.key, b.key));
  }

  /** Checks `ifVersion`, and returns whether there was a document. False for a `put` without `ifVersion`, which reads nothing. */
  #checked({ collection, key, value, ifVersion }: LocalWrite): boolean {
    if (value !== null && ifVersion === undefined) return false;
    const before = this.read(collection, key);
    const current = versionToken(before);
    if (ifVersion !== undefined && current !== (ifVersion ?? undefined))
      throw new ConcurrencyError(collection, key, current);
    return current !== undefined;
  }

  #keep(written: Written, key: DocumentKey, value: string | null): void {
    const { transactionDocumentsMax, transactionBytesMax } = this.limits;
    const held = written.get(key);
    if (held === undefined) this.#documents++;
    this.#characters += (value?.length ?? 0) - (held?.length ?? 0);
    if (this.#documents > transactionDocumentsMax)
      throw tooLarge('documents', transactionDocumentsMax, 'transactionDocumentsMax');
    if (this.#documents > 1 && this.#characters > transactionBytesMax)
      throw tooLarge('bytes of JSON', transactionBytesMax, 'transactionBytesMax');
    written.set(key, value);
  }

  #writtenIn(collection: CollectionName): Written {
    const written: Written = this.#written.get(collection) ?? new Map();
    this.#written.set(collection, written);
    return written;
  }

  /** Returns an answer that was awaited; throws if the transaction ended or anything that it read has changed meanwhile. */
  #still<T>(answer: T): T {
    this.#assertRunning();
    return this.#unchanged(() => answer);
  }

  /** Reads, then throws if anything has changed. The check comes last, because reading commits the pending writes of others. */
  #unchanged<T>(read: () => T): T {
    const found = read();
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
    return found;
  }

  #assertRunning(): void {
    if (this.#isOver)
      throw new TypeError('the transaction is over; await everything that belongs to it before its function returns');
  }
}

/** The row of a write that is not stored yet. It has no versions; its version token is that of an empty list. */
function writtenRow(collection: CollectionName, key: DocumentKey, value: string | null): StoredDocument {
  return { collection, key, value, pos: 0, deadAt: null, versions: [], lineFirst: 0, lineReplica: null };
}

function isFound(key: DocumentKey, value: JsonObject, { filter, sort, after: place }: Query): boolean {
  return matches(filter, value) && (place === undefined || isAfter(sort, { key, value }, place));
}

function sorted(found: readonly FoundDocument[], { sort }: Query): FoundDocument[] {
  const compare = compareBySort(sort);
  return found
    .map((document) => ({ document, key: document.key, value: JSON.parse(document.value) }))
    .sort(compare)
    .map(({ document }) => document);
}
