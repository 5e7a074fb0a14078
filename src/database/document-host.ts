import type { LoopShare } from '../core/clock/index.ts';
import type { Limits } from '../core/config/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { Query } from '../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../store/index.ts';
import type { Eventually } from './eventually.ts';
import type { LocalWrite } from './replica/index.ts';
import type { Turns } from './turns.ts';
import type { Existed } from './writer.ts';

/** What reading and writing documents needs: of a database, or of a transaction. Every method throws once that has ended. */
export interface DocumentHost {
  readonly limits: Limits;
  readonly logger: Logger;
  /** Of updates of one document that got in each other's way. */
  readonly turns: Turns;
  /** Of loops that await one read after the other. */
  readonly loopShare: LoopShare;
  /** Of long work that belongs to one call. */
  readonly workShare: LoopShare;
  /** Writes of this collection, all or nothing. */
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<Existed>;
  /** As readers see it now, with every write made before. */
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  find(collection: CollectionName, query: Query): FoundDocument[];
  count(collection: CollectionName, query: Query): number;
  /** The same, for whoever can wait: what takes long is done beside the event loop, as of one moment (`Store.findAside`). */
  findAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<FoundDocument[]>;
  countAside(collection: CollectionName, query: Query, signal: AbortSignal | undefined): Eventually<number>;
  /** Pages of documents in key order, with a turn of the event loop between them. */
  scan(
    collection: CollectionName,
    signal: AbortSignal | undefined,
    afterKey?: DocumentKey | null,
  ): AsyncIterable<readonly StoredDocument[]>;
  /** Finds out beside the event loop what `hasOlder` is asked next, so that it can mostly tell at once. */
  lookForOlder(collection: CollectionName, version: number, signal: AbortSignal | undefined): Eventually<void>;
  /** Whether readers see a document of an older version than this one. */
  hasOlder(collection: CollectionName, version: number): boolean;
  /** A key that nobody had before, above all that this node made. */
  newKey(): DocumentKey;
  /** Under which name this node counts, where the resolver of the collection joins counters; else undefined. */
  counterOf(collection: CollectionName): ReplicaId | undefined;
}
