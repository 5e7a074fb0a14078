import type { LocalDatabase } from '../../database/index.ts';
import { keepText, keptText } from './kept-text.ts';

/** Name of the metadata entry with notices of commands, a JSON list of texts. */
const NOTICES = 'notices';

/** Beyond this the oldest notice is forgotten; the command already showed it. */
const KEPT_MAX = 20;

/** What commands have found out about the files since a node last ran on them. */
export function keptNotices(database: LocalDatabase): string[] {
  const text = keptText(database, NOTICES);
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

/** Keeps notices for the next node: a command that happened to open the files first must not be the only one to know. */
export function keepNotices(database: LocalDatabase, found: readonly string[]): void {
  if (found.length === 0) return;
  const all = [...new Set([...keptNotices(database), ...found])];
  keepText(database, NOTICES, JSON.stringify(all.slice(-KEPT_MAX)));
}

/** Call when the node has told its user. */
export function forgetNotices(database: LocalDatabase): void {
  keepText(database, NOTICES, null);
}
