import type { Random } from '../ids/index.ts';

/** Longest possible delay after `failures` (at least 1) failures in a row: `baseMs`, doubled with each further one, up to `capMs`. */
export function backoffCeilingMs(failures: number, baseMs: number, capMs: number): number {
  // 2 ** 1024 is Infinity, and 0 * Infinity is NaN: the exponent is bounded before that.
  return Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 52));
}

/**
 * A delay anywhere below the ceiling ("full jitter": Marc Brooker, "Exponential Backoff and Jitter", 2015). Many nodes that
 * lost the same peer at the same moment spread over the whole interval instead of returning together.
 */
export function fullJitterMs(random: Random, failures: number, baseMs: number, capMs: number): number {
  return random.next() * backoffCeilingMs(failures, baseMs, capMs);
}
