import { isEntglDbError } from '../core/errors/index.ts';
import type { LocalDatabase } from '../database/index.ts';

/** Name among the metadata: notices of commands, as a JSON list of texts. */
const NOTICES = 'notices';

/** Beyond it the oldest is forgotten: commands told it. */
const KEPT_MAX = 20;

/** What commands found out about the files since a node last ran on them. */
export function keptNotices({ replica }: LocalDatabase): string[] {
  const text = replica.store.load().meta.get(NOTICES);
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

/** For the next node to say: a command that happened to open the files first must not be the only one to know. */
export function keepNotices(database: LocalDatabase, found: readonly string[]): void {
  if (found.length === 0) return;
  const all = [...new Set([...keptNotices(database), ...found])];
  write(database, JSON.stringify(all.slice(-KEPT_MAX)));
}

/** The node has told its user. */
export function forgetNotices(database: LocalDatabase): void {
  if (keptNotices(database).length > 0) write(database, null);
}

function write({ replica }: LocalDatabase, text: string | null): void {
  try {
    replica.commitEntries((draft) => draft.meta(NOTICES, text));
  } catch (error) {
    // A full disk must not keep the database from being read.
    if (!isEntglDbError(error, 'DISK_FULL')) throw error;
  }
}
