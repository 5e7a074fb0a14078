import { TIMES } from '../../core/config/index.ts';
import { isEntglDbError, NetworkError } from '../../core/errors/index.ts';
import { compareBytes, type Random } from '../../core/ids/index.ts';
import { fullJitterMs, isTransient } from '../../core/retry/index.ts';
import type { Target } from './target.ts';

/** Back-off after the first failed round; it doubles up to `dialBackoffMsMax` or `hopelessBackoffMsMax`. */
const BACKOFF_BASE_MS = 250;
/** The node with the larger device key leaves the first attempt to the other for this long, so that dials rarely cross. */
const PASSIVE_MS = 1000;
const PASSIVE_SPREAD_MS = 500;

/**
 * How long to wait before a target is dialled, ms. An absent target is dialled often, because nothing announces its return
 * unless discovery does. A target that has greeted before is dialled as often even if it refuses this node, because a broken
 * network looks the same.
 */
export function dialBackoffMs(target: Target, ownKey: string, random: Random): number {
  const { failures, deviceKey, isTurnedAway, hasGreeted, lostAt } = target;
  const isHopeless = (isTurnedAway && !hasGreeted) || lostAt !== undefined;
  const msMax = isHopeless ? TIMES.hopelessBackoffMsMax : TIMES.dialBackoffMsMax;
  const delayMs = fullJitterMs(random, failures + 1, BACKOFF_BASE_MS, msMax);
  const isPassive = failures === 0 && deviceKey !== undefined && compareBytes(ownKey, deviceKey) > 0;
  return isPassive ? delayMs + PASSIVE_MS + random.next() * PASSIVE_SPREAD_MS : delayMs;
}

/** Makes a transient failure final, so that the round ends and leaves its place to those who wait. Its target gets another turn. */
export function roundOver(error: unknown): unknown {
  return isTransient(error) ? new NetworkError('RETRIES_EXHAUSTED', (error as Error).message, { cause: error }) : error;
}

/** Whether a round of dialling ended because the other end refused this node. */
export function isRefusal(error: unknown): boolean {
  const last = isEntglDbError(error, 'RETRIES_EXHAUSTED') ? error.cause : error;
  return isEntglDbError(last, 'HANDSHAKE_FAILED');
}
