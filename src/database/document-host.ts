import type { LoopShare } from '../core/clock/index.ts';
import type { Limits } from '../core/config/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { Query } from '../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../store/index.ts';
import type { DocumentCache } from './cache/index.ts';
import type { Eventually } from './eventually.ts';
import type { LocalWrite } from './replica/index.ts';
import type { Turns } from './turns.ts';
import type { Existed } from './writer.ts';

/** What reading and writing documents needs from a database or a transaction. Every method throws once that has ended. */
export interface DocumentHost {
  readonly limits: Limits;
  readonly logger: Logger;
  readonly cache: DocumentCache;
  /** Serialises updates of one document that got in each other's way. */
  readonly turns: Turns;
  /** For loops of a program that await one read after the other. */
  readonly loopShare: LoopShare;
  /** For long work within a single call. */
  readonly workShare: LoopShare;
  /** Writes documents of this collection, all or none. */
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<Existed>;
  /** The document as readers see it now, including every write made before. */
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  find(collection: CollectionName, query: Query): FoundDocument[];
  count(collection: CollectionName, query: Query): number;
  /** The same for callers that can wait: long queries run beside the event loop, as of one moment (`Store.findAside`). */
  findAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<FoundDocument[]>;
  countAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<number>;
  /** Pages of documents in key order, with a turn of the event loop between them. */
  scan(
    collection: CollectionName,
    signal: AbortSignal | undefined,
    afterKey?: DocumentKey | null,
  ): AsyncIterable<readonly StoredDocument[]>;
  /** Prepares the answer of the next `hasOlder` beside the event loop, so that it usually need not search itself. */
  lookForOlder(collection: CollectionName, version: number, signal: AbortSignal | undefined): Eventually<void>;
  /** Whether readers see a document of an older version than this one. */
  hasOlder(collection: CollectionName, version: number): boolean;
  /** A unique new key, above all keys that this node made before. */
  newKey(): DocumentKey;
  /** The replica id under which this node counts, if the resolver of the collection merges counters; otherwise undefined. */
  counterOf(collection: CollectionName): ReplicaId | undefined;
}
