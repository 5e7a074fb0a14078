import { type ErrorReason, isEntglDbError } from '../../core/errors/index.ts';

/** Exit codes, for scripts to branch on. */
export const EXIT = {
  /** Fine. */
  ok: 0,
  /** The answer is no: not found, unhealthy, corrupt. */
  no: 1,
  /** Wrong usage, input or configuration. */
  usage: 2,
  /** The node cannot be reached or opened. */
  unreachable: 3,
  /** Stopped by a signal: 128 and its number, as shells have it. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_SIGNAL: Readonly<Record<string, ExitCode>> = { SIGHUP: EXIT.hungUp, SIGINT: EXIT.interrupted };

/** The user or the system stopped the command before it was done, for example with Ctrl+C. The message says what came of it. */
export class CommandStopped extends Error {
  readonly signal: string;
  /** What programs want to know of it. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(signal: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.signal = signal;
    this.details = { signal, ...details };
  }
}

const ANSWERS_NO: readonly ErrorReason[] = [
  'BACKUP_EXISTS',
  'BACKUP_INVALID',
  'BLOB_INCOMPLETE',
  'BLOB_NOT_FOUND',
  'COLLECTION_NOT_WANTED',
  'CONCURRENCY_CONFLICT',
  'CONFLICT_NOT_FOUND',
  'DATABASE_CORRUPT',
  'DOCUMENT_CORRUPT',
  'DOCUMENT_NOT_FOUND',
  'EVICT_REFUSED',
  'HISTORY_FORGOTTEN',
  'UNIQUE_VIOLATION',
];

const WRONG_INPUT: readonly ErrorReason[] = [
  'DOCUMENT_TOO_LARGE',
  'INVALID_DOCUMENT',
  'INVALID_FILTER',
  'INVALID_INDEX',
  'INVALID_NAME',
  'TRANSACTION_TOO_LARGE',
];

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandStopped) return BY_SIGNAL[error.signal] ?? EXIT.terminated;
  if (!isEntglDbError(error)) return EXIT.unreachable;
  if (ANSWERS_NO.includes(error.reason)) return EXIT.no;
  if (error.code === 'CONFIG_ERROR' || WRONG_INPUT.includes(error.reason)) return EXIT.usage;
  return EXIT.unreachable;
}
