import { hlcToMs } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { PersistenceError, SyncError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';
import type { EntrySpace, StoredDocument } from '../../store/index.ts';
import type { CollectBlobsOptions, CollectedBlobs } from './blob-api.ts';
import { chunkKey, listKey } from './blob-documents.ts';
import type { BlobsHost } from './blobs-host.ts';
import { KeySet } from './key-set.ts';
import { blobDocumentKeys } from './list-blobs.ts';
import type { Pins } from './pins.ts';
import { chunkLists, readManifest } from './read-blob.ts';
import { blobIdsIn } from './references.ts';
import { UnreferencedSince } from './unreferenced-since.ts';

/** Maximum number of keys checked between two pauses, and of documents deleted in one transaction. */
const SLICE_KEYS_MAX = 100;
/** Side tables with documents that can be restored. */
const SPACES = ['queue', 'conflicts', 'history'] as const;
const ENTRIES_MAX = 64;

/** How long a blob must have been without a reference, ms. Throws a RangeError if that is too short. */
export function graceOf({ olderThanMs = TIMES.blobGraceMs }: CollectBlobsOptions): number {
  if (olderThanMs >= TIMES.blobGraceMs) return olderThanMs;
  throw new RangeError(`olderThanMs is ${olderThanMs}; it is at least ${TIMES.blobGraceMs}, 7 days`);
}

/**
 * One collection of unreferenced blobs: marks the blobs that documents refer to, decides for each blob, and sweeps
 * (docs/adr/0008-blobs.md).
 *
 * - A blob is deleted when this node has seen it without a reference for the whole grace period and nobody has put it since.
 * - A chunk is deleted with the last blob that contains it, or if this node wrote it and no blob contains it. A chunk of
 *   another node without a blob stays: the manifest may still be on its way here.
 * - Changes made during the run are checked before each slice of deletions, in the same turn of the event loop.
 */
export class BlobCollection {
  readonly #host: BlobsHost;
  readonly #pins: Pins;
  readonly #signal: AbortSignal | undefined;
  readonly #graceMs: number;
  readonly #referenced = new Set<string>();
  readonly #kept = new KeySet();
  readonly #doomedParts = new KeySet();
  /** Changes up to this position were searched for references. */
  #pos = 0;
  /** Likewise entries of the side tables, whose ids rise. */
  readonly #entriesUpTo = new Map<EntrySpace, number>();
  /** Called between two steps. */
  readonly #rest: () => Promise<void>;
  #collected = { blobs: 0, bytes: 0, waiting: 0 };

  constructor(
    host: BlobsHost,
    pins: Pins,
    options: CollectBlobsOptions,
    rest: () => Promise<void> = () => host.turn(),
  ) {
    this.#host = host;
    this.#pins = pins;
    this.#signal = options.signal;
    this.#graceMs = graceOf(options);
    this.#rest = rest;
  }

  async run(): Promise<CollectedBlobs> {
    this.#assertWhole();
    this.#host.commitPending();
    this.#pos = this.#host.replica.pos;
    await this.#mark();
    const doomed = await this.#decide();
    await this.#sweep(doomed);
    return this.#collected;
  }

  #assertWhole(): void {
    const { wants } = this.#host;
    if (wants.isAll) return;
    throw new SyncError(
      'COLLECTION_NOT_WANTED',
      'this node does not hold all collections, so that it cannot know what is referred to; collect blobs on one that does',
      { details: { collection: wants.frozen ?? null } },
    );
  }

  async #mark(): Promise<void> {
    for (const { name } of [...this.#host.replica.collections()]) {
      if (name === BLOBS_COLLECTION) continue;
      for await (const page of this.#host.scan(name, this.#signal)) {
        for (const row of page) this.#refer(row);
        await this.#rest();
      }
    }
    for (const space of SPACES)
      while (this.#referEntries(space)) {
        this.#signal?.throwIfAborted();
        await this.#rest();
      }
  }

  /** Notes the references in the next entries of a side table; false: those were all. */
  #referEntries(space: EntrySpace): boolean {
    const page = this.#host.replica.store.entries(space, this.#entriesUpTo.get(space) ?? 0, ENTRIES_MAX);
    for (const { id, data } of page) {
      this.#referText(data);
      this.#entriesUpTo.set(space, id);
    }
    return page.length === ENTRIES_MAX;
  }

  #refer(row: StoredDocument): void {
    this.#referText(row.value);
    for (const { value } of row.versions) if (value !== row.value) this.#referText(value);
  }

  #referText(text: string | null): void {
    for (const id of blobIdsIn(text)) this.#referenced.add(id);
    const max = this.#host.limits.blobReferencesMax;
    if (this.#referenced.size > max)
      throw new PersistenceError(
        'TRANSACTION_TOO_LARGE',
        `documents refer to more than ${max} blobs (Limits.blobReferencesMax); raise it to collect blobs`,
        { details: { blobReferencesMax: max } },
      );
  }

  /** The keys of the blobs to delete. Notes the parts of all other blobs as kept. */
  async #decide(): Promise<DocumentKey[]> {
    const since = UnreferencedSince.read(this.#host);
    const nowMs = this.#host.clock.now();
    const { livedMs } = this.#host.replica;
    const doomed: DocumentKey[] = [];
    for await (const key of this.#keys('b', 'c')) {
      const row = this.#host.read(BLOBS_COLLECTION, key);
      if (row === undefined || row.value === null) continue;
      const id = key.slice(1);
      const isWanted = this.#referenced.has(id);
      const isDoomed =
        !isWanted && livedMs - since.see(id, livedMs, row.pos) >= this.#graceMs && this.#isOld(row, nowMs);
      if (isDoomed) doomed.push(key);
      else if (!isWanted) this.#collected.waiting++;
      this.#noteParts(id, isDoomed ? this.#doomedParts : this.#kept);
    }
    since.write();
    return doomed;
  }

  #noteParts(id: string, into: KeySet): void {
    const manifest = readManifest(this.#host, id);
    if (manifest === undefined) return;
    for (const { list, chunks = [] } of chunkLists(this.#host, manifest)) {
      if (list !== undefined) into.add(listKey(list));
      for (const { hash } of chunks) into.add(chunkKey(hash));
    }
  }

  async #sweep(doomed: readonly DocumentKey[]): Promise<void> {
    for (let from = 0; from < doomed.length; from += SLICE_KEYS_MAX) {
      await this.#delete(doomed.slice(from, from + SLICE_KEYS_MAX), (key) => !this.#isBlobKept(key));
      await this.#rest();
    }
    let slice: DocumentKey[] = [];
    const isGarbage = (key: DocumentKey): boolean => this.#isGarbage(key);
    for await (const key of this.#keys('c', 'm')) {
      if (this.#kept.has(key) || slice.push(key) < SLICE_KEYS_MAX) continue;
      await this.#delete(slice, isGarbage);
      slice = [];
    }
    await this.#delete(slice, isGarbage);
  }

  /** Checks and commits in one turn of the event loop, so no reference can appear between the two. */
  async #delete(keys: readonly DocumentKey[], isGarbage: (key: DocumentKey) => boolean): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#follow();
    const writes = keys
      .filter(isGarbage)
      .map((key) => ({ collection: BLOBS_COLLECTION, key, value: null, ifVersion: undefined }));
    if (writes.length === 0) return;
    const written = this.#host.write(BLOBS_COLLECTION, writes);
    this.#host.commitPending();
    await written;
  }

  /** A blob that has been referred to or put again by now stays, with its parts. */
  #isBlobKept(key: DocumentKey): boolean {
    const row = this.#host.read(BLOBS_COLLECTION, key);
    if (row === undefined || row.value === null) return true;
    const isKept =
      this.#referenced.has(key.slice(1)) ||
      this.#pins.has(key) ||
      this.#kept.has(key) ||
      !this.#isOld(row, this.#host.clock.now());
    if (isKept) this.#noteParts(key.slice(1), this.#kept);
    else this.#collected.blobs++;
    return isKept;
  }

  #isGarbage(key: DocumentKey): boolean {
    if (this.#kept.has(key) || this.#pins.has(key)) return false;
    const row = this.#host.read(BLOBS_COLLECTION, key);
    if (row === undefined || row.value === null || !this.#isOld(row, this.#host.clock.now())) return false;
    const own = this.#host.replica.ownIds();
    if (!this.#doomedParts.has(key) && !row.versions.every(({ replica }) => own.includes(replica))) return false;
    if (key.startsWith('c')) this.#collected.bytes += Math.floor((row.value.length * 3) / 4);
    return true;
  }

  #isOld({ versions }: StoredDocument, nowMs: number): boolean {
    return versions.every(({ hlc }) => nowMs - hlcToMs(hlc) >= this.#graceMs);
  }

  /** Notes the references that were written and the blobs that arrived since the last call. */
  #follow(): void {
    this.#host.commitPending();
    const { replica } = this.#host;
    while (this.#pos < replica.pos) {
      const page = replica.store.changes(this.#pos, SLICE_KEYS_MAX);
      for (const row of page) {
        if (row.collection !== BLOBS_COLLECTION) this.#refer(row);
        else if (row.key.startsWith('b') && row.value !== null) {
          this.#kept.add(row.key);
          this.#noteParts(row.key.slice(1), this.#kept);
        }
      }
      this.#pos = page.at(-1)?.pos ?? replica.pos;
      if (page.length < SLICE_KEYS_MAX) this.#pos = replica.pos;
    }
    for (const space of SPACES) while (this.#referEntries(space));
  }

  #keys(from: string, to: string): AsyncGenerator<DocumentKey> {
    const { replica } = this.#host;
    const host = { replica, commitPending: () => this.#host.commitPending(), turn: this.#rest };
    return blobDocumentKeys(host, from, to, this.#signal);
  }
}
