import type { JsonObject } from '../core/query/index.ts';

/**
 * A document: a JSON object. Type parameters accept any object type, so that interfaces fit too; a value that is not a JSON
 * object is refused when it is written.
 */
export type Document = JsonObject;

export interface WaitOptions {
  /** Ends waiting, never work that has already begun. The call rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

export interface ScanOptions extends WaitOptions {
  /** Only keys after this one, in byte order. Default: from the first. */
  readonly after?: string;
}

export interface WriteOptions extends WaitOptions {
  /**
   * Token of the version that the write must replace, as returned by `getVersioned`; null: there must be no document.
   * Otherwise the write rejects with ConcurrencyError, which holds the current token. Only this node is checked: a concurrent
   * write elsewhere is a conflict for the resolver, not an error. Default: the write replaces whatever is there.
   */
  readonly ifVersion?: string | null;
}

export interface ReadOptions extends WaitOptions {
  /**
   * Also returns documents that do not fit the schema, as they are stored. Default false: they are left out, or the read
   * throws.
   */
  readonly includeInvalid?: boolean;
}

/** A document with its key and its version token for `ifVersion`. */
export interface Versioned<T> {
  readonly key: string;
  readonly value: T;
  readonly version: string;
}

/** A version of a document: one write of it. */
export interface DocumentVersion {
  /** Human name of the node that wrote it; null if this node does not know it. */
  readonly node: string | null;
  /** Replica id under which it was written. */
  readonly replica: string;
  /** The name of the write: `<replica>:<seq>`. */
  readonly dot: string;
  /** Wall clock of its author, ms since 1970. */
  readonly writtenAt: number;
  /** The written document; null: it was deleted. */
  readonly value: Document | null;
}
