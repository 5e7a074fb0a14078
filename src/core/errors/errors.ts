import type { ErrorCode, ErrorReason } from './codes.ts';

export interface ErrorOptions {
  /** What a program may want to show or to branch on: names, numbers, paths. Never document bodies or secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error of this library. `code` is one of the guide's five, `reason` the finer cause (docs/errors.md); the message
 * says what happened, to which one, and what to do. Branch on code and reason, never on the text. Recognise it with
 * `isEntglDbError`, not with instanceof: two copies of the package may be loaded.
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

/** The network failed: dialling, listening, a connection that broke. */
export class NetworkError extends EntglDbError<'NETWORK_ERROR'> {
  override readonly name: string = 'NetworkError';
  constructor(reason: ErrorReason<'NETWORK_ERROR'>, message: string, options?: ErrorOptions) {
    super('NETWORK_ERROR', reason, message, options);
  }
}

/** The database, its file or its disk. */
export class PersistenceError extends EntglDbError<'PERSISTENCE_ERROR'> {
  override readonly name: string = 'PersistenceError';
  constructor(reason: ErrorReason<'PERSISTENCE_ERROR'>, message: string, options?: ErrorOptions) {
    super('PERSISTENCE_ERROR', reason, message, options);
  }
}

/** `require` found no document. */
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

/** A write with `ifVersion` met another version. `current` is the token to try again with; undefined: no document. */
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

/** Stored data is damaged; `details` name what. */
export class DatabaseCorruptionError extends PersistenceError {
  override readonly name: string = 'DatabaseCorruptionError';
  constructor(
    message: string,
    options?: ErrorOptions & { readonly reason?: 'DATABASE_CORRUPT' | 'DOCUMENT_CORRUPT' | 'BACKUP_INVALID' },
  ) {
    super(options?.reason ?? 'DATABASE_CORRUPT', message, options);
  }
}

/** A peer said something that the protocol does not allow, or replication could not go on. */
export class SyncError extends EntglDbError<'SYNC_ERROR'> {
  override readonly name: string = 'SyncError';
  constructor(reason: ErrorReason<'SYNC_ERROR'>, message: string, options?: ErrorOptions) {
    super('SYNC_ERROR', reason, message, options);
  }
}

/** A configuration value, file or command line is wrong; `details` carry key, value and what is allowed. */
export class ConfigurationError extends EntglDbError<'CONFIG_ERROR'> {
  override readonly name: string = 'ConfigurationError';
  constructor(reason: ErrorReason<'CONFIG_ERROR'>, message: string, options?: ErrorOptions) {
    super('CONFIG_ERROR', reason, message, options);
  }
}

/** Something did not finish in its time. */
export class TimeoutError extends EntglDbError<'TIMEOUT_ERROR'> {
  override readonly name: string = 'TimeoutError';
  constructor(message: string, options?: ErrorOptions) {
    super('TIMEOUT_ERROR', 'TIMED_OUT', message, options);
  }
}

/** True for an error of this library, whichever copy of the package made it; optionally of one code or reason. */
export function isEntglDbError(error: unknown, codeOrReason?: ErrorCode | ErrorReason): error is EntglDbError {
  if (!(error instanceof Error) || !('code' in error) || !('reason' in error) || !('details' in error)) return false;
  return codeOrReason === undefined || error.code === codeOrReason || error.reason === codeOrReason;
}
