import { stdSerializers } from 'pino';
import { type ErrorReason, isEntglDbError } from '../../core/errors/index.ts';

/** The disk or the system is at fault: where the code met it tells nothing, and such an error may come with every write. */
const REASONS_OF_THE_SYSTEM: ReadonlySet<ErrorReason> = new Set([
  'DATABASE_LOCKED',
  'DISK_FULL',
  'IO_FAILED',
  'PERMISSION_DENIED',
] satisfies ErrorReason[]);

/** SQLite's code for a full disk, and those of the system. */
const SQLITE_FULL = 13;
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** The fields of an error in a line of the log; without its stack if that would only be long. */
export function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { stack, ...fields } = stdSerializers.err(error);
  return isOfTheSystem(error) ? fields : { ...fields, stack };
}

function isOfTheSystem(error: Error & { readonly errcode?: unknown; readonly code?: unknown }): boolean {
  if (isEntglDbError(error)) return REASONS_OF_THE_SYSTEM.has(error.reason);
  return error.errcode === SQLITE_FULL || FULL.includes(error.code);
}
