import type { JsonObject } from '../core/query/index.ts';

/**
 * A document: a JSON object. A type parameter may be any object type, so that interfaces fit too; what is no JSON object is
 * refused when it is written.
 */
export type Document = JsonObject;

export interface WaitOptions {
  /** Stops the waiting, never work that has begun; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

export interface ScanOptions extends WaitOptions {
  /** Only keys behind this one, in byte order. Default: from the first. */
  readonly after?: string;
}

export interface WriteOptions extends WaitOptions {
  /**
   * Token of the version that the write is meant to replace, as `getVersioned` returns it; null: there must be no document.
   * Otherwise ConcurrencyError, with the current token. Only this node is asked: a concurrent write elsewhere is a conflict
   * for the resolver, not an error.
   */
  readonly ifVersion?: string | null;
}

export interface ReadOptions extends WaitOptions {
  /** Also documents that do not fit the schema of the collection, as they are stored. Default: they are left out, or throw. */
  readonly includeInvalid?: boolean;
}

/** A document with its place and the token for `ifVersion`. */
export interface Versioned<T> {
  readonly key: string;
  readonly value: T;
  readonly version: string;
}

/** A version of a document: one write of it. */
export interface DocumentVersion {
  /** Human name of the node that wrote it; null where this node never met it. */
  readonly node: string | null;
  readonly replica: string;
  /** The name of the write: replica and its number there. */
  readonly dot: string;
  /** Wall clock of its author, ms. */
  readonly writtenAt: number;
  /** What it said; null: it deleted the document. */
  readonly value: Document | null;
}
