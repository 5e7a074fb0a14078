/** How much of a collection's history this node keeps. It applies to this node only. */
export interface HistoryOptions {
  /** How many replaced values to keep of each document; beyond that the oldest is forgotten. 1 to 1,000. Default 20. */
  readonly versions?: number;
  /** How many days to keep a replaced value; only time during which the database is open counts. Above 0. Default 30. */
  readonly days?: number;
}

export interface HistorySettings {
  readonly versions: number;
  readonly keptMs: number;
}

const VERSIONS_MAX = 1000;
const DAY_MS = 24 * 3600 * 1000;

/** Checks the options and fills in the defaults. `problem` says what is wrong with them, for the caller's error. */
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
