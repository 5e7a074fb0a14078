/**
 * Which sequence numbers of one sender were heard: the highest, and which of the 64 up to it (the anti-replay window of
 * IPsec, RFC 4303 §3.4.3). Datagrams of one announcement can overtake each other on different interfaces. To admit only
 * numbers above the last one would hide the slower path for ever.
 */
export interface ReplayWindow {
  readonly highest: number;
  /** Bit n is set when `highest - n` was heard. */
  readonly heard: bigint;
}

const WIDTH = 64;

export const EMPTY_WINDOW: ReplayWindow = { highest: -1, heard: 0n };

/** The window after hearing `sequence`; undefined when it was heard before or is too old to tell. */
export function admitSequence(window: ReplayWindow, sequence: number): ReplayWindow | undefined {
  if (sequence > window.highest) {
    const shift = sequence - window.highest;
    const kept = shift < WIDTH ? BigInt.asUintN(WIDTH, window.heard << BigInt(shift)) : 0n;
    return { highest: sequence, heard: kept | 1n };
  }
  const age = window.highest - sequence;
  if (age >= WIDTH) return undefined;
  const bit = 1n << BigInt(age);
  return window.heard & bit ? undefined : { highest: window.highest, heard: window.heard | bit };
}
