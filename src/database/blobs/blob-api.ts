import type { WaitOptions } from '../document-api.ts';

/**
 * A reference to a blob. Put it anywhere into a document, as `put` returned it. A blob is kept while any document holds an
 * object with its `$blob`, whatever other members that object has. This is a type alias because TypeScript does not accept
 * an interface as a JSON object.
 */
export type BlobRef = {
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly $blob: string;
  /** Size in bytes. */
  readonly size: number;
  /** Media type, as it was given to `put`. */
  readonly type: string;
};

/** The bytes of a blob: one array, or an iterable or stream (of the web or of Node) of pieces of any size. */
export type BlobSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface PutBlobOptions extends WaitOptions {
  /** Media type, at most 255 characters. Default `application/octet-stream`. Only the reference holds it, not the blob. */
  readonly type?: string;
  /** Called after each chunk with the number of bytes taken so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface GetBlobOptions extends WaitOptions {
  /** Offset of the first byte, from 0. Default 0. */
  readonly start?: number;
  /** Offset after the last byte. Default: the size of the blob. */
  readonly end?: number;
}

/** The bytes of a blob. They are read chunk by chunk, on demand; each iteration, stream and call of `bytes` reads them again. */
export interface BlobContent extends AsyncIterable<Uint8Array> {
  /** The bytes as a web stream. */
  stream(): ReadableStream<Uint8Array>;
  /** All bytes in one array. */
  bytes(): Promise<Uint8Array>;
}

/** How much of a blob this node holds. */
export interface BlobPresence {
  /** Bytes that this node holds. */
  readonly bytes: number;
  /** Size of the whole blob in bytes; null if this node does not know it. */
  readonly size: number | null;
  /** Whether this node holds all bytes. */
  readonly isComplete: boolean;
}

export interface ListBlobsOptions extends WaitOptions {
  /** `$blob` of a blob; the list starts with the next one. Default: it starts with the first blob. */
  readonly after?: string;
}

/** A blob that this node knows of. `presence` returns whether all its bytes have arrived. */
export interface BlobInfo {
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly $blob: string;
  /** Size in bytes. */
  readonly size: number;
}

export interface CollectBlobsOptions extends WaitOptions {
  /**
   * How long a blob must have been without a reference before it is deleted, in milliseconds. Default 7 days, which is also
   * the minimum.
   */
  readonly olderThanMs?: number;
}

export interface CollectedBlobs {
  /** Number of blobs deleted. */
  readonly blobs: number;
  /** Bytes of all chunks deleted. */
  readonly bytes: number;
  /** Number of blobs without a reference that are not old enough to be deleted. */
  readonly waiting: number;
}

/**
 * Files beside documents. A blob is named by the hash of its content and cut into chunks, each of which is stored and sent
 * once and verified when it is read. Blobs replicate as documents of the collection `$blobs`; a node that does not need them
 * narrows it. See docs/guide/blobs.md.
 */
export interface Blobs {
  /**
   * Stores the bytes and resolves with their reference when all of them are durable on this node. Chunks that this node
   * holds already are not written again, so repeating a put that was interrupted continues it. `Limits.blobPutBytes` bounds
   * the memory. Rejects with PERSISTENCE_ERROR as a write does, DOCUMENT_TOO_LARGE if `Limits.documentBytesMax` is too small
   * for a chunk, what the source throws, and the signal's reason if the signal aborts; chunks already written stay until
   * they are collected. An invalid `type` or source is a TypeError.
   */
  put(source: BlobSource, options?: PutBlobOptions): Promise<BlobRef>;
  /**
   * The bytes of a blob, or a range of them. Each chunk is verified when it is read, and the hash of the whole blob after the
   * last byte if all of it is read. Throws PERSISTENCE_ERROR / BLOB_NOT_FOUND if `$blob` is not 64 hex digits. Reading throws
   * PERSISTENCE_ERROR with BLOB_NOT_FOUND, BLOB_INCOMPLETE if chunks have not arrived yet (`details.missingBytes`) or
   * DOCUMENT_CORRUPT; a RangeError if `start` or `end` is outside the blob; and the signal's reason between two chunks.
   */
  get(ref: Pick<BlobRef, '$blob'>, options?: GetBlobOptions): BlobContent;
  /** Whether this node holds all bytes of the blob. False for a blob that it does not know. */
  has(ref: Pick<BlobRef, '$blob'>, options?: WaitOptions): Promise<boolean>;
  /** How many bytes of the blob this node holds. Zero for a blob that it does not know. */
  presence(ref: Pick<BlobRef, '$blob'>, options?: WaitOptions): Promise<BlobPresence>;
  /**
   * The blobs that this node knows of, in order of their ids. A blob that is put or deleted during the iteration may or may
   * not be included. A signal ends the iteration with its reason.
   */
  list(options?: ListBlobsOptions): AsyncIterable<BlobInfo>;
  /**
   * Deletes, on all nodes, the blobs that no document on this node refers to any more. It remembers the blobs that it sees
   * without a reference and deletes them in a later call, when they have been without one for `olderThanMs`. Rejects with
   * SYNC_ERROR / COLLECTION_NOT_WANTED on a node that does not hold all collections, PERSISTENCE_ERROR /
   * TRANSACTION_TOO_LARGE if documents refer to more than `Limits.blobReferencesMax` blobs, and a RangeError if `olderThanMs`
   * is less than 7 days. A call during another one waits for it; if both have the same `olderThanMs`, it gets that result.
   * A signal stops it between two steps; what it has deleted by then stays deleted.
   */
  collect(options?: CollectBlobsOptions): Promise<CollectedBlobs>;
}
