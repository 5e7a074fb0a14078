import type { ErrorCode, ErrorReason } from './codes.ts';

export interface ErrorOptions {
  /** Facts that a program may show or branch on: names, numbers, paths. Never document bodies or secrets. Default `{}`. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * Base class of all errors of this library. `code` is one of five, `reason` the specific cause (docs/errors.md). The
 * message says what happened, to which object, and what to do. Branch on `code` and `reason`, never on the text.
 * Recognise it with `isEntglDbError` rather than instanceof: two copies of the package may be loaded.
 */
export class EntglDbError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'EntglDbError';
  readonly code: Code;
  readonly reason: ErrorReason<Code>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, reason: ErrorReason<Code>, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.details = options.details ?? {};
  }
}

/** A network operation failed: dialling, listening, or a connection that broke. */
export class NetworkError extends EntglDbError<'NETWORK_ERROR'> {
  override readonly name: string = 'NetworkError';
  constructor(reason: ErrorReason<'NETWORK_ERROR'>, message: string, options?: ErrorOptions) {
    super('NETWORK_ERROR', reason, message, options);
  }
}

/** The database, its file or its disk refused or failed an operation. */
export class PersistenceError extends EntglDbError<'PERSISTENCE_ERROR'> {
  override readonly name: string = 'PersistenceError';
  constructor(reason: ErrorReason<'PERSISTENCE_ERROR'>, message: string, options?: ErrorOptions) {
    super('PERSISTENCE_ERROR', reason, message, options);
  }
}

/** `require` found no document (reason DOCUMENT_NOT_FOUND). */
export class DocumentNotFoundError extends PersistenceError {
  override readonly name: string = 'DocumentNotFoundError';
  readonly collection: string;
  readonly key: string;
  constructor(collection: string, key: string) {
    super(
      'DOCUMENT_NOT_FOUND',
      `there is no document ${JSON.stringify(key)} in collection ${JSON.stringify(collection)}`,
      {
        details: { collection, key },
      },
    );
    this.collection = collection;
    this.key = key;
  }
}

/**
 * A write with `ifVersion` found another version (reason CONCURRENCY_CONFLICT). `current` is the version token to retry
 * with; undefined: there is no document.
 */
export class ConcurrencyError extends PersistenceError {
  override readonly name: string = 'ConcurrencyError';
  readonly collection: string;
  readonly key: string;
  readonly current: string | undefined;
  constructor(collection: string, key: string, current: string | undefined) {
    super(
      'CONCURRENCY_CONFLICT',
      `document ${JSON.stringify(key)} in collection ${JSON.stringify(collection)} was changed meanwhile; read it again and retry`,
      { details: { collection, key, current } },
    );
    this.collection = collection;
    this.key = key;
    this.current = current;
  }
}

/** Stored data is damaged; `details` name what. Reason DATABASE_CORRUPT unless DOCUMENT_CORRUPT or BACKUP_INVALID is given. */
export class DatabaseCorruptionError extends PersistenceError {
  override readonly name: string = 'DatabaseCorruptionError';
  constructor(
    message: string,
    options?: ErrorOptions & { readonly reason?: 'DATABASE_CORRUPT' | 'DOCUMENT_CORRUPT' | 'BACKUP_INVALID' },
  ) {
    super(options?.reason ?? 'DATABASE_CORRUPT', message, options);
  }
}

/** A peer violated the protocol, or replication could not continue. */
export class SyncError extends EntglDbError<'SYNC_ERROR'> {
  override readonly name: string = 'SyncError';
  constructor(reason: ErrorReason<'SYNC_ERROR'>, message: string, options?: ErrorOptions) {
    super('SYNC_ERROR', reason, message, options);
  }
}

/** A configuration value, file or command line is wrong; `details` hold the key, the value and what is allowed. */
export class ConfigurationError extends EntglDbError<'CONFIG_ERROR'> {
  override readonly name: string = 'ConfigurationError';
  constructor(reason: ErrorReason<'CONFIG_ERROR'>, message: string, options?: ErrorOptions) {
    super('CONFIG_ERROR', reason, message, options);
  }
}

/** An operation did not finish in time (reason TIMED_OUT). */
export class TimeoutError extends EntglDbError<'TIMEOUT_ERROR'> {
  override readonly name: string = 'TimeoutError';
  constructor(message: string, options?: ErrorOptions) {
    super('TIMEOUT_ERROR', 'TIMED_OUT', message, options);
  }
}

/** True for an error of this library, from whichever copy of the package; if given, only of that code or reason. */
export function isEntglDbError(error: unknown, codeOrReason?: ErrorCode | ErrorReason): error is EntglDbError {
  if (!(error instanceof Error) || !('code' in error) || !('reason' in error) || !('details' in error)) return false;
  return codeOrReason === undefined || error.code === codeOrReason || error.reason === codeOrReason;
}
