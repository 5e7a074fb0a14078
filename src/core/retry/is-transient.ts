import { isEntglDbError } from '../errors/index.ts';

/** Codes of Node's system and resolver errors that can go away by themselves. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EAGAIN',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOBUFS',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * Whether trying again can help: true for a network or timeout error of this library, the platform's `TimeoutError`, and
 * network errors of the system. False for an abort, which was requested, and for RETRIES_EXHAUSTED, or nested retries
 * would multiply.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'AbortError') return false;
  if (isEntglDbError(error)) {
    return (error.code === 'NETWORK_ERROR' || error.code === 'TIMEOUT_ERROR') && error.reason !== 'RETRIES_EXHAUSTED';
  }
  if (error.name === 'TimeoutError') return true;
  return 'code' in error && typeof error.code === 'string' && TRANSIENT_CODES.has(error.code);
}
