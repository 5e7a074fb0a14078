/**
 * Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014) in one integer: physical milliseconds × 1000
 * plus a counter, below 2^53 until the year 2255. Rule R10: a remote stamp is adopted only if it is not too far ahead of
 * this node's wall clock, so that one wrong clock never drags the others along. No local write fails or waits because of
 * a clock.
 */
declare const hlcBrand: unique symbol;
/** A stamp: milliseconds × 1000 + counter. Compares as a number. */
export type Hlc = number & { readonly [hlcBrand]: true };

const HLC_TICKS_PER_MS = 1000;
/** Stamps that are less ahead of the wall clock go on rising: the clock catches up within a day. */
const AHEAD_MS_MAX = 86_400_000;
/** 2026-01-01, before the first release. A clock before it is wrong, however many agree: machines without a battery start in 1970. */
const PLAUSIBLE_MS_MIN = 1_767_225_600_000;

/** True for an integer in the range of stamps. Checks what comes from outside. */
export function isHlc(value: unknown): value is Hlc {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Below every stamp that is given out. */
export const HLC_ZERO: Hlc = 0 as Hlc;

/**
 * The stamp of a local write: above `last`, and not below the wall clock. A full counter carries into the next ms.
 *
 * If `last` is more than a day ahead, the wall clock was once wrong. When other clocks confirm the wall clock, stamps go back to
 * it. Otherwise this node would win every conflict until that time comes. No rule needs stamps that rise: a write that has seen
 * another one wins by its context.
 */
export function nextHlc(last: Hlc, wallMs: number, isConfirmed: () => boolean = () => false): Hlc {
  const physical = Math.max(0, Math.floor(wallMs)) * HLC_TICKS_PER_MS;
  const isFarAhead = last - physical > AHEAD_MS_MAX * HLC_TICKS_PER_MS;
  if (isFarAhead && wallMs >= PLAUSIBLE_MS_MIN && isConfirmed()) return physical as Hlc;
  const next = Math.max(last + 1, physical);
  return (Number.isSafeInteger(next) ? next : last) as Hlc;
}

/** R10: the new `last` after seeing `remote`. A stamp more than `driftMsMax` ahead of the wall clock is stored, not adopted. */
export function observeHlc(last: Hlc, remote: Hlc, wallMs: number, driftMsMax: number): Hlc {
  const limit = (wallMs + driftMsMax) * HLC_TICKS_PER_MS;
  return remote > last && remote <= limit ? remote : last;
}

/** The wall-clock part of a stamp, in milliseconds. */
export function hlcToMs(stamp: Hlc): number {
  return Math.floor(stamp / HLC_TICKS_PER_MS);
}
