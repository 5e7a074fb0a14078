import { PersistenceError } from '../../core/errors/index.ts';
import { parseReplicaId, type ReplicaId } from '../../core/ids/index.ts';

/**
 * The position of a watcher in the order of changes. `seen` is at most `pos`: all rows up to it were still in the store when
 * the watcher passed them, so the purge of a document deleted by then needs no event. It is less than `pos` only while there
 * are removals after `pos`.
 *
 * `state` is at least `pos`: the watcher has read rows as they were then. A row that was changed after `pos` was passed over at its
 * earlier position, and an older state of the store, as in a backup, has it there again.
 */
export interface FeedPosition {
  readonly pos: number;
  readonly seen: number;
  readonly state: number;
}

export interface ResumeToken extends FeedPosition {
  /** The replica that assigned the positions. */
  readonly replica: ReplicaId;
}

const PATTERN = /^1\.([0-9a-f]{32})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})(?:\.([0-9a-z]{1,11}))?$/;

/** Without `state` if that is `pos`, as of every watcher that has caught up. */
export function resumeText(replica: ReplicaId, { pos, seen, state }: FeedPosition): string {
  const text = `1.${replica}.${pos.toString(36)}.${seen.toString(36)}`;
  return state === pos ? text : `${text}.${state.toString(36)}`;
}

/** Throws PERSISTENCE_ERROR / RESUME_TOKEN_INVALID. */
export function parseResumeText(text: unknown): ResumeToken {
  const [, id, posText, seenText, stateText] = (typeof text === 'string' ? PATTERN.exec(text) : null) ?? [];
  const replica = parseReplicaId(id);
  const pos = Number.parseInt(posText ?? '', 36);
  const seen = Number.parseInt(seenText ?? '', 36);
  const state = stateText === undefined ? pos : Number.parseInt(stateText, 36);
  const isOrdered = seen <= pos && pos <= state;
  if (replica === undefined || !Number.isSafeInteger(state) || !isOrdered)
    throw resumeTokenError('was not made by this library');
  return { replica, pos, seen, state };
}

export function resumeTokenError(what: string): PersistenceError {
  return new PersistenceError(
    'RESUME_TOKEN_INVALID',
    `the resume token ${what}; read the collection again and watch without a token`,
  );
}
