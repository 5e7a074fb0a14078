import type { Logger } from '../../core/logging/index.ts';
import type { DamagedEntry, EntrySpace } from '../../store/index.ts';
import type { EntryKeeper } from '../entry-keeper.ts';
import type { EventLog } from '../event-log.ts';

export interface DamagedEntriesDeps {
  readonly keeper: EntryKeeper;
  readonly events: EventLog;
  readonly logger: Logger;
  /** Tells the operator what was lost. */
  readonly onNotice: (text: string) => void;
}

/** What is lost with an entry, or how it comes back. No other space holds what cannot be read again. */
const LOSSES: Partial<Record<EntrySpace, string>> = {
  queue: 'an operation of the offline queue is lost',
  conflicts: 'a version that lost to a concurrent one is gone from the list of conflicts',
  'conflict-heads': 'nothing is lost, because it is read from the conflicts themselves',
  history: 'a replaced value is gone from the history of its document',
  receipts: 'peers say again what they hold of the writes of this node',
  events: 'a note of what happened to this database is lost',
};

/**
 * Entries of side tables that do not fit their sums. Each is removed, noted and reported: without it the node works on, and all other
 * entries stay. A document never depends on one.
 */
export class DamagedEntries {
  readonly #deps: DamagedEntriesDeps;
  readonly #waiting = new Map<string, DamagedEntry>();
  readonly #seen = new Set<string>();

  constructor(deps: DamagedEntriesDeps) {
    this.#deps = deps;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Notes an entry; false if it was already removed, or could not be. */
  add(entry: DamagedEntry): boolean {
    const name = `${entry.space} ${entry.id}`;
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    this.#waiting.set(name, entry);
    return true;
  }

  /** Removes what was noted, in one commit. Throws as a commit does; the entries then wait for the next call. */
  remove(): void {
    const { keeper, events, logger, onNotice } = this.#deps;
    const entries = [...this.#waiting.values()];
    keeper.commitEntries((draft) => {
      for (const { space, id } of entries) draft.entry({ space, id, data: null });
    });
    this.#waiting.clear();
    for (const { space, id, problem } of entries) {
      const loss = LOSSES[space] ?? 'nothing is lost';
      events.append('entry-removed', { space, id, loss });
      logger.fatal({ space, id, problem }, 'a damaged entry of a side table was removed; look at the disk');
      onNotice(`damage on disk: an entry of ${space} could not be read and was removed; ${loss}`);
    }
  }
}
