import type { Clock } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { LocalWrite, Replica } from '../replica/index.ts';
import type { Wants } from '../wants.ts';

/** What blobs need from their database. Every method throws DATABASE_CLOSED after it was closed. */
export interface BlobsHost {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly replica: Replica;
  /** Writes to one collection as one transaction; resolves when it is durable. */
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<unknown>;
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  scan(
    collection: CollectionName,
    signal?: AbortSignal,
    afterKey?: DocumentKey | null,
  ): AsyncIterable<readonly StoredDocument[]>;
  commitPending(): void;
  readonly wants: Wants;
  /** Yields to the event loop. */
  turn(): Promise<void>;
}
