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
  put(source: AsyncIterable<Uint8Array>, type: string | undefined, signal: AbortSignal): Promise<BlobRef>;
  get(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  list(signal: AbortSignal): AsyncIterable<BlobInfo>;
  collect(olderThanDays: number, signal: AbortSignal): Promise<CollectedBlobs>;
}

/** What a command works on: the running node, or the database file if none runs. A signal ends the waiting; a running node may go on. */
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
  verify(peer: string | null, signal: AbortSignal): Promise<readonly PeerEquality[]>;
  /** Resolves with the path of the backup. */
  backup(name: string | null, signal: AbortSignal): Promise<string>;
  checkIntegrity(signal: AbortSignal): Promise<void>;
  /** Resolves with the bytes given back. */
  compact(signal: AbortSignal): Promise<number>;
  /** Newest first. */
  conflicts(limit: number): Promise<readonly Conflict[]>;
  /** Rejects with CONFLICT_NOT_FOUND if there is no such entry. */
  restoreConflict(id: number): Promise<void>;
  close(): Promise<void>;
}
