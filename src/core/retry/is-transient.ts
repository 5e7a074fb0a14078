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
 * Whether trying again can help: a network or timeout error of this library, the platform's `TimeoutError`, or a system
 * error of the network. Never an abort, which is a wish and no failure; nor exhausted retries, which would multiply.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'AbortError') return false;
  if (isEntglDbError(error)) {
    return (error.code === 'NETWORK_ERROR' || error.code === 'TIMEOUT_ERROR') && error.reason !== 'RETRIES_EXHAUSTED';
  }
  if (error.name === 'TimeoutError') return true;
  return 'code' in error && typeof error.code === 'string' && TRANSIENT_CODES.has(error.code);
}
