/** How much of a collection's history this node keeps. It is this node's own: others keep what they are told to. */
export interface HistoryOptions {
  /** Replaced values kept of each document; one more: its oldest is forgotten. 1 to 1,000. Default 20. */
  readonly versions?: number;
  /** A replaced value is forgotten after so many days. Above 0. Default 30. */
  readonly days?: number;
}

export interface HistorySettings {
  readonly versions: number;
  readonly keptMs: number;
}

const VERSIONS_MAX = 1000;
const DAY_MS = 24 * 3600 * 1000;

/** Undefined: what is wrong with the options is told instead, for the caller's error. */
export function parseHistoryOptions({
  versions = 20,
  days = 30,
}: HistoryOptions): HistorySettings | { problem: string } {
  if (!Number.isSafeInteger(versions) || versions < 1 || versions > VERSIONS_MAX)
    return { problem: `keeps ${versions} versions; use 1 to ${VERSIONS_MAX}` };
  if (typeof days !== 'number' || !(days > 0) || !Number.isFinite(days))
    return { problem: `keeps ${days} days; use a number above 0` };
  return { versions, keptMs: days * DAY_MS };
}
