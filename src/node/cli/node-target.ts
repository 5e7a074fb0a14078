import type { BlobInfo, BlobRef, CollectedBlobs, Collection, Conflict } from '../../database/index.ts';
import type { HealthReport } from '../../diagnostics/index.ts';
import type { PendingWrites } from '../../resilience/index.ts';
import type { PeerStatus } from '../network/index.ts';
import type { NodeStatus } from '../node-api.ts';
import type { PeerEquality } from '../services/index.ts';
import type { ExportSource } from '../transfer/index.ts';

/** What commands need of a collection, in the file or over HTTP. */
export type DocumentAccess = Pick<
  Collection,
  | 'get'
  | 'put'
  | 'delete'
  | 'count'
  | 'findPage'
  | 'explain'
  | 'putMany'
  | 'entries'
  | 'history'
  | 'undo'
  | 'indexes'
  | 'ensureIndex'
  | 'dropIndex'
>;

/** What commands need of blobs, in the file or over HTTP. */
export interface BlobAccess {
  put(source: AsyncIterable<Uint8Array>, type: string | undefined): Promise<BlobRef>;
  get(id: string): AsyncIterable<Uint8Array>;
  list(): AsyncIterable<BlobInfo>;
  collect(olderThanDays: number): Promise<CollectedBlobs>;
}

/** What a command works on: the running node, or the database file if none runs. */
export interface NodeTarget {
  readonly isRunning: boolean;
  collection(name: string): DocumentAccess;
  readonly blobs: BlobAccess;
  /** The documents of a collection with their versions, for an export. */
  versionedCollection(name: string): ExportSource;
  status(): Promise<NodeStatus>;
  peers(): Promise<readonly PeerStatus[]>;
  health(): Promise<HealthReport>;
  /** This node's writes that no other node, or not the named one, is known to hold. */
  unsynced(peer: string | null): Promise<readonly PendingWrites[]>;
  /** Compares with connected peers, or with the one named. */
  verify(peer: string | null): Promise<readonly PeerEquality[]>;
  /** Resolves with the path of the backup. */
  backup(name: string | null): Promise<string>;
  checkIntegrity(): Promise<void>;
  /** Resolves with the bytes given back. */
  compact(): Promise<number>;
  /** Newest first. */
  conflicts(limit: number): Promise<readonly Conflict[]>;
  /** Rejects with CONFLICT_NOT_FOUND if there is no such entry. */
  restoreConflict(id: number): Promise<void>;
  close(): Promise<void>;
}
