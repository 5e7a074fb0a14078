/** The peer of a session. */
export interface FollowedPeer {
  readonly deviceKey: string;
  /** Human name; empty while it is unknown. */
  readonly node: string;
  /** `host:port`. */
  readonly address: string;
}

/** Reasons for which links end although nothing is wrong. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set([
  'busy',
  'closed',
  'closing',
  'damage',
  'duplicate',
  'ended',
  'identity',
  'other',
  'removed',
  'restored',
  'self',
  'surplus',
  'wants',
]);

/** Why a link ended, as a sentence; null for an ordinary end. */
export function linkProblem(reason: string): string | null {
  return ORDINARY_ENDS.has(reason) ? null : `the connection ended: ${reason}`;
}
