export { type ErrorCode, type ErrorReason, REASONS } from './codes.ts';
export {
  ConcurrencyError,
  ConfigurationError,
  DatabaseCorruptionError,
  DocumentNotFoundError,
  EntglDbError,
  type ErrorOptions,
  isEntglDbError,
  NetworkError,
  PersistenceError,
  SyncError,
  TimeoutError,
} from './errors.ts';
export { messageOf } from './message-of.ts';
