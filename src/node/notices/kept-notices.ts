import type { LocalDatabase } from '../../database/index.ts';
import { META } from '../../store/index.ts';
import { keepText, keptText } from './kept-text.ts';

/** Beyond this the oldest notice is forgotten; the command already showed it. */
const KEPT_MAX = 20;

/** What commands have found out about the files since a node last ran on them. */
export function keptNotices(database: LocalDatabase): string[] {
  const text = keptText(database, META.notices);
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

/** Keeps notices for the next node: a command that happened to open the files first must not be the only one to know. */
export function keepNotices(database: LocalDatabase, found: readonly string[]): void {
  if (found.length === 0) return;
  const all = [...new Set([...keptNotices(database), ...found])];
  keepText(database, META.notices, JSON.stringify(all.slice(-KEPT_MAX)));
}

/** Call when the node has told its user. */
export function forgetNotices(database: LocalDatabase): void {
  keepText(database, META.notices, null);
}
