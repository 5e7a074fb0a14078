import type { Target } from './target.ts';

/**
 * Whom to dial first of those that are due: who has waited longest, and of those that are likely to be there and of all others by
 * turns. So neither a long list of addresses where nobody is nor many peers that have gone hold up the rest.
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

/** It was linked before, or discovery hears it. */
function isLikely({ kind, hasBeenLinked, lostAt }: Target): boolean {
  return hasBeenLinked || (kind === 'discovered' && lostAt === undefined);
}
