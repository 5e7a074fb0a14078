import { parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';

/** The oldest are forgotten; resume tokens from then count as foreign. */
const LIVES_MAX = 100;

/**
 * The former replica ids of this file, each with the change position at which its life ended. Positions continue across
 * lives, so a position up to that end still means the same. One beyond it was lost, because the file was restored or copied
 * from a state before it.
 */
export type FormerLives = ReadonlyMap<ReplicaId, number>;

export function endLife(lives: FormerLives, replica: ReplicaId, pos: number): FormerLives {
  return new Map([...lives, [replica, pos] as const].slice(-LIVES_MAX));
}

export function formerLivesToText(lives: FormerLives): string {
  return JSON.stringify([...lives]);
}

/** What cannot be parsed is left out: resume tokens from such a life are refused. */
export function parseFormerLives(text: string | undefined): FormerLives {
  if (text === undefined) return new Map();
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) return new Map();
  return new Map(
    rows.filter((row): row is [ReplicaId, number] => Array.isArray(row) && parseReplicaId(row[0]) !== undefined),
  );
}
