import { PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Change, WatchOptions } from '../api.ts';
import type { Replica } from '../replica/index.ts';
import { ChangeIterator } from './change-iterator.ts';
import { type PageSize, type ReadPage, readChangePage } from './change-page.ts';
import { type FeedPosition, parseResumeText, resumeText, resumeTokenError } from './resume-token.ts';

export interface ChangeFeedsDeps {
  readonly replica: Replica;
  /** Maximum number of watchers that have started and not ended (Limits.watchersMax). */
  readonly watchersMax: number;
  /** Bounds of what one watcher holds in memory (Limits.watchBufferMax, watchBufferCharactersMax). */
  readonly page: PageSize;
  /** Calls `run` in a later turn of the event loop. */
  readonly soon: (run: () => void) => void;
  /** Throws if the database is closed. */
  readonly assertOpen: () => void;
  readonly onDamage: (error: unknown) => void;
}

/**
 * All watchers of a database. A watcher is a position, not a buffer: a page of changes is read from the store when its
 * consumer asks, and only up to what is durable, so no change is yielded that a crash could undo, and none that a crash could
 * bring back is passed over. A document that changes
 * again while a slow consumer is behind moves to its new position, so the consumer always gets its newest state, in order.
 */
export class ChangeFeeds {
  readonly #deps: ChangeFeedsDeps;
  readonly #running = new Set<ChangeIterator<unknown>>();
  /** Newest change of each collection since `#openedAt`, so a watcher does not read changes of other collections. */
  readonly #newest = new Map<CollectionName, number>();
  readonly #openedAt: number;

  constructor(deps: ChangeFeedsDeps) {
    this.#deps = deps;
    this.#openedAt = deps.replica.pos;
    deps.replica.onCommit(({ changed, removed }) => {
      for (const { collection, pos } of changed) this.#note(collection, pos);
      for (const { collection, pos } of removed) this.#note(collection, pos);
    });
    deps.replica.onDurable(() => {
      for (const feed of [...this.#running]) feed.wake();
    });
    deps.replica.onReload(() => {
      for (const [collection, pos] of this.#newest) this.#newest.set(collection, Math.min(pos, deps.replica.pos));
      for (const feed of [...this.#running]) feed.readAgain();
    });
  }

  /** Number of watchers that have started and not ended. */
  get running(): number {
    return this.#running.size;
  }

  /** Changes after the resume token, or else changes that become durable after this call. */
  watch<T>(collection: CollectionName, options: WatchOptions): AsyncIterableIterator<Change<T>, undefined> {
    const { replica, soon, assertOpen, watchersMax } = this.#deps;
    const begin = this.#now();
    const iterator: ChangeIterator<T> = new ChangeIterator<T>({
      start: () => {
        assertOpen();
        if (this.#running.size >= watchersMax) throw tooMany(watchersMax);
        const at = options.resume === undefined ? begin : this.#resume(options.resume);
        this.#running.add(iterator as ChangeIterator<unknown>);
        return at;
      },
      read: (from, rowsMax) => this.#read(collection, from, rowsMax),
      isDurable: (pos) => this.#isDurable(pos),
      rowsMax: this.#deps.page.rowsMax,
      now: () => this.#now(),
      end: () => this.#running.delete(iterator as ChangeIterator<unknown>),
      soon,
      resumeText: (at) => resumeText(replica.id, at),
      signal: options.signal,
    });
    return iterator;
  }

  /** The token of a watcher that begins now. */
  resumeToken(): string {
    return resumeText(this.#deps.replica.id, this.#now());
  }

  /** Ends all watchers. */
  close(): void {
    for (const iterator of [...this.#running]) iterator.finish();
  }

  #now(): FeedPosition {
    const { durablePos } = this.#deps.replica;
    return { pos: durablePos, seen: durablePos, state: durablePos };
  }

  #resume(token: string): FeedPosition {
    const { replica, ...at } = parseResumeText(token);
    const verdict = this.#deps.replica.judgePosition(replica, at.state);
    if (verdict === 'foreign') throw resumeTokenError('comes from another database, or from a later state of this one');
    return verdict === 'lost' ? LOST : at;
  }

  #read(collection: CollectionName, from: FeedPosition, rowsMax: number): ReadPage | 'reset' | 'idle' {
    const { replica, onDamage } = this.#deps;
    const { durablePos } = replica;
    if (from === LOST || from.pos < replica.store.goneFrom()) return 'reset';
    if (durablePos <= from.pos) return 'idle';
    const newest = this.#newest.get(collection) ?? 0;
    if (from.pos >= this.#openedAt && newest <= from.pos)
      return { changes: [], at: this.#now(), isCut: false, wholeAt: durablePos };
    try {
      // What was changed before this process can be at any position up to where it began.
      const state = newest === 0 ? this.#openedAt : newest;
      const page = readChangePage(replica, collection, from, state, { ...this.#deps.page, rowsMax });
      return { ...page, wholeAt: newest };
    } catch (error) {
      onDamage(error);
      throw error;
    }
  }

  /** A commit for which nobody waits, such as one of a session that has ended, would be made durable by the next write only. */
  #isDurable(pos: number): boolean {
    const { replica } = this.#deps;
    if (pos <= replica.durablePos) return true;
    // Whoever committed hears of a failure, and watchers hear of lost commits.
    replica.flush().catch(() => {});
    return false;
  }

  #note(collection: CollectionName, pos: number): void {
    if (pos > (this.#newest.get(collection) ?? 0)) this.#newest.set(collection, pos);
  }
}

function tooMany(watchersMax: number): PersistenceError {
  return new PersistenceError(
    'WATCHERS_FULL',
    `${watchersMax} watchers run already (Limits.WatchersMax); end those that nobody reads: leave the loop, call return, or abort the signal`,
    { details: { watchersMax } },
  );
}

/** Stands for a position that this file once gave out, but lost when it was restored from an earlier copy. */
const LOST: FeedPosition = { pos: 0, seen: 0, state: 0 };
