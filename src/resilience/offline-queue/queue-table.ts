import type { Logger } from '../../core/logging/index.ts';
import type { Entry, EntryRow } from '../../store/index.ts';
import type { EntryKeeper } from '../entry-keeper.ts';
import { parseOperation, type QueuedOperation } from './operation.ts';

/** How many operations are read at a time: a page of the largest documents still fits into 16 MB. */
const PAGE_MAX = 16;
/** How many operations `clear` removes in one commit. */
const CLEAR_MAX = 500;

/** The side table `queue`, and the number of its operations. An unreadable entry is removed and reported. */
export class QueueTable {
  readonly #keeper: EntryKeeper;
  readonly #logger: Logger;
  readonly #onDamaged: (id: number) => void;
  #count = 0;
  #lastId = 0;

  constructor(keeper: EntryKeeper, logger: Logger, onDamaged: (id: number) => void) {
    this.#keeper = keeper;
    this.#logger = logger;
    this.#onDamaged = onDamaged;
    this.recount();
  }

  get count(): number {
    return this.#count;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Counts again after commits were lost. Their ids are not given out again: a program may hold one. */
  recount(): void {
    let count = 0;
    let lastId = 0;
    for (let page = this.#entries(0, PAGE_MAX); page.length > 0; page = this.#entries(lastId, PAGE_MAX)) {
      count += page.length;
      lastId = page.at(-1)!.id;
    }
    this.#count = count;
    this.#lastId = Math.max(this.#lastId, lastId);
  }

  /** Adds an operation at the end and, if `removedId` is given, removes that one in the same commit. Returns the new id. */
  append(data: string, removedId?: number): number {
    const id = this.#lastId + 1;
    const rows: EntryRow[] = [{ space: 'queue', id, data }];
    if (removedId !== undefined) rows.push({ space: 'queue', id: removedId, data: null });
    this.#commit(rows);
    this.#lastId = id;
    if (removedId === undefined) this.#count++;
    return id;
  }

  replace(id: number, data: string): void {
    this.#commit([{ space: 'queue', id, data }]);
  }

  /** Removes an operation; false if it was already gone. */
  remove(id: number): boolean {
    if (this.#entries(id - 1, 1)[0]?.id !== id) return false;
    this.#commit([{ space: 'queue', id, data: null }]);
    this.#count--;
    return true;
  }

  /** Removes operations up to `lastId`, at most one commit's worth; returns how many. */
  removeSome(lastId: number): number {
    const rows: EntryRow[] = [];
    let after = 0;
    while (rows.length < CLEAR_MAX) {
      const page = this.#entries(after, PAGE_MAX).filter(({ id }) => id <= lastId);
      if (page.length === 0) break;
      for (const { id } of page) rows.push({ space: 'queue', id, data: null });
      after = page.at(-1)!.id;
    }
    if (rows.length > 0) this.#commit(rows);
    this.#count -= rows.length;
    return rows.length;
  }

  get(id: number): QueuedOperation | undefined {
    const operation = this.next(id - 1);
    return operation?.id === id ? operation : undefined;
  }

  /** The first operation after `afterId`. */
  next(afterId: number): QueuedOperation | undefined {
    return this.after(afterId, 1)[0];
  }

  /** Up to `limit` operations after `afterId`, in order. */
  after(afterId: number, limit: number): QueuedOperation[] {
    const found: QueuedOperation[] = [];
    for (let last = afterId; found.length < limit; ) {
      const page = this.#entries(last, Math.min(limit - found.length, PAGE_MAX));
      if (page.length === 0) break;
      last = page.at(-1)!.id;
      for (const { id, data } of page) {
        const operation = parseOperation(id, data);
        if (operation === undefined) this.#takeOut(id);
        else found.push(operation);
      }
    }
    return found;
  }

  #entries(afterId: number, limit: number): Entry[] {
    return this.#keeper.store.entries('queue', afterId, limit);
  }

  #takeOut(id: number): void {
    this.#commit([{ space: 'queue', id, data: null }]);
    this.#count--;
    this.#logger.fatal({ id }, 'an operation of the offline queue was unreadable and is lost');
    this.#onDamaged(id);
  }

  #commit(rows: readonly EntryRow[]): void {
    this.#keeper.commitEntries((draft) => {
      for (const row of rows) draft.entry(row);
    });
  }
}
