/** Picks an integer of 0 … n − 1. */
export type Pick = (n: number) => number;

/** Xorshift32 (Marsaglia 2003): small, fast, and with the same results for the same seed on every machine. */
export function seededPick(seed: number): Pick {
  let state = (seed * 2654435761 + 97) >>> 0 || 1;
  const pick: Pick = (n) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % n;
  };
  for (let i = 0; i < 8; i++) pick(7); // small seeds start alike; a few steps separate them
  return pick;
}

export function pickOne<T>(pick: Pick, items: readonly T[]): T {
  return items[pick(items.length)]!;
}

/** Draws the name of an action by weight. */
export function pickWeighted<Action extends string>(pick: Pick, weights: Readonly<Record<Action, number>>): Action {
  const actions = Object.keys(weights) as Action[];
  let roll = pick(actions.reduce((sum, action) => sum + weights[action], 0));
  return actions.find((action) => {
    roll -= weights[action];
    return roll < 0;
  })!;
}
