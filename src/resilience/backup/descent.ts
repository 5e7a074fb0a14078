/** A database as one of its states tells it: an open one, or a backup. */
export interface DatabaseState {
  /** Replica id of its life; undefined: not known. */
  readonly replica: string | undefined;
  /** Change position of its head. */
  readonly pos: number;
  /** The former replica ids, each with the change position at which its life ended. */
  readonly former: ReadonlyMap<string, number>;
  /** Name of its node; null: not known. */
  readonly node: string | null;
}

/**
 * Whether the database in the first state has come from the second one, or at least was in it on the same node. A node that was
 * restored from another one's backup shares a life with it up to that backup; what the other one made of that life later is its own.
 */
export function isOfOne(now: Omit<DatabaseState, 'pos'>, before: DatabaseState): boolean {
  if (before.replica === undefined) return false;
  if (before.replica === now.replica) return true;
  const end = now.former.get(before.replica);
  if (end === undefined) return false;
  return before.pos <= end || (before.node !== null && before.node === now.node);
}
