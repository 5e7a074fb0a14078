import type { Target } from './target.ts';

/**
 * The order in which due targets are dialled: those that are likely to be there and all others alternate, longest waiting first. So
 * neither a long list of dead addresses nor many peers that have gone can delay the rest.
 */
export function inTurn(due: readonly Target[]): Target[] {
  const byWaiting = due.toSorted((a, b) => a.dueAt - b.dueAt);
  const likely = byWaiting.filter(isLikely);
  const others = byWaiting.filter((target) => !isLikely(target));
  const turns: Target[] = [];
  for (let i = 0; i < Math.max(likely.length, others.length); i++) {
    if (i < likely.length) turns.push(likely[i]!);
    if (i < others.length) turns.push(others[i]!);
  }
  return turns;
}

/** Whether the target was linked before or is heard by discovery. */
function isLikely({ kind, hasBeenLinked, lostAt }: Target): boolean {
  return hasBeenLinked || (kind === 'discovered' && lostAt === undefined);
}
