import type { WaitOptions } from '../document-api.ts';

/**
 * What a document holds of a blob: put it anywhere into a document, as it is. While any document holds one, with any members
 * beside `$blob`, the blob is kept. A type alias, for an interface is no JSON object to TypeScript.
 */
export type BlobRef = {
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly $blob: string;
  /** Bytes. */
  readonly size: number;
  /** Media type, as it was given to `put`. */
  readonly type: string;
};

/** Where bytes come from: all at once, or as a stream (of the web or of Node) of pieces of any size. */
export type BlobSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface PutBlobOptions extends WaitOptions {
  /** Default `application/octet-stream`. It is kept in the reference alone. */
  readonly type?: string;
  /** Called behind each chunk with the bytes that were taken so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface GetBlobOptions extends WaitOptions {
  /** First byte, from 0. Default 0. */
  readonly start?: number;
  /** Byte behind the last one. Default: the end. */
  readonly end?: number;
}

/** The bytes of a blob, read chunk by chunk as they are asked for. */
export interface BlobContent extends AsyncIterable<Uint8Array> {
  /** The same as a web stream. */
  stream(): ReadableStream<Uint8Array>;
  /** All of them in memory. */
  bytes(): Promise<Uint8Array>;
}

/** What of a blob is here. */
export interface BlobPresence {
  /** Bytes of it that are here. */
  readonly bytes: number;
  /** Bytes of the whole, where that is known here; else null. */
  readonly size: number | null;
  readonly isComplete: boolean;
}

export interface ListBlobsOptions extends WaitOptions {
  /** Id of the last blob seen: the list goes on behind it. Default: from the first. */
  readonly after?: string;
}

/** A blob that this node knows of; whether all of it has arrived, `presence` tells. */
export interface BlobInfo {
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly $blob: string;
  /** Bytes. */
  readonly size: number;
}

export interface CollectBlobsOptions extends WaitOptions {
  /** A blob goes when no document here has held a reference to it for so long. Default and least: 7 days. */
  readonly olderThanMs?: number;
}

export interface CollectedBlobs {
  /** Blobs whose deletion was written. */
  readonly blobs: number;
  /** Bytes of all chunks that went with them. */
  readonly bytes: number;
  /** Blobs that no document refers to and that have not waited long enough. */
  readonly waiting: number;
}

/**
 * Files beside documents: content-addressed, in chunks that are stored and sent once, verified when they are read. They
 * replicate as documents of the collection `$blobs` do: a node that need not hold them narrows it. See docs/guide/blobs.md.
 */
export interface Blobs {
  /**
   * Stores bytes and resolves with their reference when all are durable here. Chunks that are here already are not written
   * again, so that putting what was cut before goes on where it was. Memory is bounded by `blobPutBytes`. A signal rejects;
   * chunks that were written stay until they are collected. PERSISTENCE_ERROR as a write, and what the source throws.
   */
  put(source: BlobSource, options?: PutBlobOptions): Promise<BlobRef>;
  /**
   * The bytes of a blob, or of a part of it. Each chunk is verified when it is read, and the whole at its end. Reading throws
   * PERSISTENCE_ERROR: BLOB_NOT_FOUND, BLOB_INCOMPLETE where chunks have not arrived yet (`details.missingBytes`),
   * DOCUMENT_CORRUPT; RangeError where `start` or `end` is no place in it.
   */
  get(ref: Pick<BlobRef, '$blob'>, options?: GetBlobOptions): BlobContent;
  /** Whether all of it is here. */
  has(ref: Pick<BlobRef, '$blob'>, options?: WaitOptions): Promise<boolean>;
  /** How much of it is here. */
  presence(ref: Pick<BlobRef, '$blob'>, options?: WaitOptions): Promise<BlobPresence>;
  /** Blobs that this node knows of, in order of their ids. What comes or goes meanwhile may be in it or not. */
  list(options?: ListBlobsOptions): AsyncIterable<BlobInfo>;
  /**
   * Deletes, on all nodes, what no document here refers to any more. It must run where all collections are: otherwise
   * SYNC_ERROR / COLLECTION_NOT_WANTED. What it sees without a reference it remembers, and deletes at a later call. A signal
   * ends it between two slices.
   */
  collect(options?: CollectBlobsOptions): Promise<CollectedBlobs>;
}
