import { isEntglDbError } from '../../core/errors/index.ts';
import type { Link } from './link-table.ts';
import type { PeerError, PeerStatus, Target } from './target.ts';

/** The status of a linked device that this node knows only because the device dialled it. */
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

/** The status of a device or address that this node dials; `link`: the link with the device, if there is one. */
export function targetStatus(target: Target, link: Link | undefined, state: PeerStatus['state']): PeerStatus {
  return {
    deviceKey: target.deviceKey ?? null,
    node: link?.node ?? null,
    address: link?.channel.dialled ? link.channel.remote : target.addresses[0]!,
    state,
    sinceMs: link?.sinceMs ?? target.sinceMs,
    attempts: link === undefined ? target.attempts : 0,
    lastError: target.lastError,
    origin: target.kind,
  };
}

/** The error of the last attempt; how many attempts came before does not help the reader. */
export function toPeerError(error: unknown, atMs: number): PeerError {
  const last = isEntglDbError(error, 'RETRIES_EXHAUSTED') && error.cause instanceof Error ? error.cause : error;
  const message = last instanceof Error ? last.message : String(last);
  const known = isEntglDbError(error) ? error : undefined;
  return { message, code: known?.code ?? null, reason: known?.reason ?? null, atMs };
}
