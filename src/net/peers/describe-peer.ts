import { isEntglDbError } from '../../core/errors/index.ts';
import type { Link } from './link-table.ts';
import type { PeerError, PeerStatus } from './target.ts';

/** A linked device that only dialled this node. */
export function incomingStatus(link: Link): PeerStatus {
  return {
    deviceKey: link.deviceKey,
    node: link.node,
    address: link.channel.remote,
    state: 'connected',
    sinceMs: link.sinceMs,
    attempts: 0,
    lastError: null,
    origin: 'incoming',
  };
}

/** In the words of the last attempt: how often it was tried before is of no use to whoever reads it. */
export function toPeerError(error: unknown, atMs: number): PeerError {
  const last = isEntglDbError(error, 'RETRIES_EXHAUSTED') && error.cause instanceof Error ? error.cause : error;
  const message = last instanceof Error ? last.message : String(last);
  const known = isEntglDbError(error) ? error : undefined;
  return { message, code: known?.code ?? null, reason: known?.reason ?? null, atMs };
}
