import { isEntglDbError } from '../core/errors/index.ts';
import type { LocalDatabase } from '../database/index.ts';

/** What an opening found out and the file keeps under this name among its metadata, until a node has told it. */
export function keptText({ replica }: LocalDatabase, name: string): string | undefined {
  return replica.store.meta(name);
}

/** A full disk must not keep the database from being read: then nothing is kept. */
export function keepText({ replica }: LocalDatabase, name: string, text: string | null): void {
  try {
    replica.commitEntries((draft) => draft.meta(name, text));
  } catch (error) {
    if (!isEntglDbError(error, 'DISK_FULL')) throw error;
  }
}
