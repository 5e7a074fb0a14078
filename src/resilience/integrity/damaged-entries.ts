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

/** How many entries wait to be removed at most. The others are left out by every read, and removed once they are met again. */
const WAITING_MAX = 100;
/** How many removed entries are remembered. Beyond that, one that stays although it was removed is reported once more. */
const REMOVED_MAX = 1000;

/** What is lost with an entry, or how it comes back. */
const LOSSES: Readonly<Record<EntrySpace, string>> = {
  queue: 'an operation of the offline queue is lost',
  conflicts: 'a version that lost to a concurrent one is gone from the list of conflicts',
  'conflict-heads': 'nothing is lost, because it is read from the conflicts themselves',
  quarantine: 'a note of a document that was set aside is lost',
  history: 'a replaced value is gone from the history of its document',
  receipts: 'peers say again what they hold of the writes of this node',
  events: 'a note of what happened to this database is lost',
  health: 'nothing is lost, because it only tries whether the disk can be written',
  blobs: 'nothing is lost; blobs without references are kept a while longer',
};

/**
 * Entries of side tables that do not fit their sums. Each is removed, noted and reported: without it the node works on, and all other
 * entries stay. A document never depends on one.
 */
export class DamagedEntries {
  readonly #deps: DamagedEntriesDeps;
  readonly #waiting = new Map<string, DamagedEntry>();
  readonly #removed = new Set<string>();

  constructor(deps: DamagedEntriesDeps) {
    this.#deps = deps;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Notes an entry; false if it was removed before. */
  add(entry: DamagedEntry): boolean {
    if (this.#removed.has(nameOf(entry))) return false;
    if (this.#waiting.size < WAITING_MAX) this.#waiting.set(nameOf(entry), entry);
    return true;
  }

  /** A failed sync may have brought back what was removed. */
  reloaded(): void {
    this.#removed.clear();
  }

  /** Removes what was noted, in one commit; false if nothing was left of it. Throws as a commit does; the entries then wait for the next call. */
  remove(): boolean {
    const { keeper, events, logger, onNotice } = this.#deps;
    const entries = [...this.#waiting.values()].filter((entry) => this.#isDamaged(entry));
    if (entries.length > 0)
      keeper.commitEntries((draft) => {
        for (const { space, id } of entries) draft.entry({ space, id, data: null });
      });
    this.#waiting.clear();
    if (this.#removed.size >= REMOVED_MAX) this.#removed.clear();
    for (const entry of entries) {
      const { space, id, problem } = entry;
      const loss = LOSSES[space];
      this.#removed.add(nameOf(entry));
      events.append('entry-removed', { space, id, loss });
      logger.fatal({ space, id, problem }, 'a damaged entry of a side table was removed; look at the disk');
      onNotice(`damage on disk: an entry of ${space} could not be read and was removed; ${loss}`);
    }
    return entries.length > 0;
  }

  /** Whether it still is: since it was noted, its owner may have written a new entry under its id. */
  #isDamaged({ space, id }: DamagedEntry): boolean {
    return this.#deps.keeper.store.entries(space, id - 1, 1)[0]?.id !== id;
  }
}

function nameOf({ space, id }: DamagedEntry): string {
  return `${space} ${id}`;
}
