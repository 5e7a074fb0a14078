import { parseReplicaId, type ReplicaId } from '../../core/ids/index.ts';

/** The oldest are forgotten; resume tokens from then count as foreign. */
const LIVES_MAX = 100;

/**
 * Replica ids that this file had before, each with the change position at which its life ended. Positions go on across
 * lives, so a position that was given out before that end still means the same; one beyond it was lost, since the file was
 * restored or copied before it came to be.
 */
export type FormerLives = ReadonlyMap<ReplicaId, number>;

export function endLife(lives: FormerLives, replica: ReplicaId, pos: number): FormerLives {
  return new Map([...lives, [replica, pos] as const].slice(-LIVES_MAX));
}

export function formerLivesToText(lives: FormerLives): string {
  return JSON.stringify([...lives]);
}

/** What cannot be read is left out: then a token from that life is refused, and its holder reads anew. */
export function parseFormerLives(text: string | undefined): FormerLives {
  if (text === undefined) return new Map();
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) return new Map();
  return new Map(
    rows.filter((row): row is [ReplicaId, number] => Array.isArray(row) && parseReplicaId(row[0]) !== undefined),
  );
}
