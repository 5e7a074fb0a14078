import { isEntglDbError } from '../../core/errors/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import type { MetaName } from '../../store/index.ts';

/** A finding from opening the file, kept in its metadata under this name until a node has reported it. */
export function keptText({ replica }: LocalDatabase, name: MetaName): string | undefined {
  return replica.store.meta(name);
}

/** Keeps a text, or removes it (null). Does nothing on a full disk, which must not prevent reading the database. */
export function keepText({ replica }: LocalDatabase, name: MetaName, text: string | null): void {
  try {
    replica.commitEntries((draft) => draft.meta(name, text));
  } catch (error) {
    if (!isEntglDbError(error, 'DISK_FULL')) throw error;
  }
}
