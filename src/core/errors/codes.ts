/** The guide's five codes. Stable for ever: programs branch on them. */
export type ErrorCode = 'NETWORK_ERROR' | 'PERSISTENCE_ERROR' | 'SYNC_ERROR' | 'CONFIG_ERROR' | 'TIMEOUT_ERROR';

/** The finer cause, by code. docs/errors.md lists each with its meaning and its remedy; a test compares the two. */
export const REASONS = {
  NETWORK_ERROR: [
    'ACCESS_DENIED',
    'CONNECT_FAILED',
    'CONNECTION_CLOSED',
    'HANDSHAKE_FAILED',
    'LISTEN_FAILED',
    'NETWORK_FAILED',
    'PORT_IN_USE',
    'RETRIES_EXHAUSTED',
    'NODE_UNREACHABLE',
    'SERVER_BUSY',
  ],
  PERSISTENCE_ERROR: [
    'BACKUP_EXISTS',
    'BACKUP_FAILED',
    'BACKUP_INVALID',
    'CONCURRENCY_CONFLICT',
    'DATABASE_CLOSED',
    'DATABASE_CORRUPT',
    'DATABASE_LOCKED',
    'DISK_FULL',
    'DOCUMENT_CORRUPT',
    'DOCUMENT_NOT_FOUND',
    'DOCUMENT_TOO_LARGE',
    'FORMAT_TOO_NEW',
    'INVALID_DOCUMENT',
    'INVALID_FILTER',
    'INVALID_NAME',
    'IO_FAILED',
    'PERMISSION_DENIED',
    'QUEUE_DISABLED',
    'QUEUE_FULL',
    'READ_ONLY',
    'RESUME_TOKEN_INVALID',
    'TRANSACTION_TOO_LARGE',
    'WRITE_QUEUE_FULL',
  ],
  SYNC_ERROR: [
    'COLLECTION_NOT_WANTED',
    'EVICT_REFUSED',
    'IDENTITY_FORKED',
    'MESSAGE_INVALID',
    'MESSAGE_TOO_LARGE',
    'PROTOCOL_MISMATCH',
    'PROTOCOL_VIOLATION',
    'RESOLVER_FAILED',
    'SELF_CONNECTION',
    'VERSION_INVALID',
  ],
  CONFIG_ERROR: ['FILE_INVALID', 'FILE_NOT_FOUND', 'OPTION_INVALID', 'TOKEN_WEAK', 'USAGE'],
  TIMEOUT_ERROR: ['TIMED_OUT'],
} as const satisfies Record<ErrorCode, readonly string[]>;

export type ErrorReason<Code extends ErrorCode = ErrorCode> = (typeof REASONS)[Code][number];
