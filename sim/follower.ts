import type { Clock } from '../src/core/clock/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName } from '../src/core/ids/index.ts';
import { ChangeFeeds } from '../src/database/feed/index.ts';
import type { Replica } from '../src/database/replica/index.ts';

/** So few that changes take several pages. */
const PAGE = { rowsMax: 3, charactersMax: 500 };
/** Pause after an error, and while a copy waits for the disk, ms. */
const PAUSE_MS = 5;
/** It rests after every few changes, and then much may happen to a document before it hears of it, but not for ever. */
const CHANGES_WITHOUT_REST = 8;
const REST_MS = 1000;
const RESTS_MAX = 20;

/**
 * A program that follows the changes of one collection into a copy of its own. It keeps copy and resume token whatever
 * becomes of its node: crashes, failed syncs, damaged rows, restored and exchanged disks, evictions, new lives. Once it has
 * been told everything, the copy must show what the node shows.
 */
export class Follower {
  readonly #collection: CollectionName;
  readonly #clock: Clock;
  readonly #onDamage: (error: unknown) => void;
  readonly #copy = new Map<string, string>();
  #token: string | undefined;
  #changes = 0;
  /** Since when it waits for a change; undefined while it has something to do. */
  #idleSince: number | undefined;
  #process = new AbortController();

  constructor(collection: CollectionName, clock: Clock, onDamage: (error: unknown) => void) {
    this.#collection = collection;
    this.#clock = clock;
    this.#onDamage = onDamage;
  }

  /** The process of the node begins, with the program in it. */
  start(replica: Replica): void {
    this.#process = new AbortController();
    this.#idleSince = undefined;
    const feeds = new ChangeFeeds({
      replica,
      watchersMax: 1,
      page: PAGE,
      soon: (run) => void this.#clock.setTimer(0, run),
      assertOpen: () => {},
      onDamage: this.#onDamage,
    });
    void this.#run(feeds, replica, this.#process.signal);
  }

  stop(): void {
    this.#process.abort();
  }

  /** Whether it has been told everything. */
  hasAll({ durablePos, pos }: Replica): boolean {
    return durablePos === pos && this.#idleSince !== undefined && this.#idleSince < this.#clock.monotonic();
  }

  /** How the copy differs from what the node shows; only if it has been told everything. */
  difference(replica: Replica): string | undefined {
    const shown = this.hasAll(replica) ? this.#shown(replica) : undefined;
    if (shown === undefined) return undefined;
    for (const key of new Set([...shown.keys(), ...this.#copy.keys()]))
      if (shown.get(key) !== this.#copy.get(key))
        return `told a follower that ${this.#collection}/${key} is ${this.#copy.get(key)}, and shows ${shown.get(key)}`;
    return undefined;
  }

  /** Undefined if a row cannot be read. */
  #shown({ store }: Replica): Map<string, string> | undefined {
    const shown = new Map<string, string>();
    try {
      for (const { key, value } of store.documents(this.#collection, null, Number.MAX_SAFE_INTEGER))
        if (value !== null) shown.set(key, value);
      return shown;
    } catch (error) {
      if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) return undefined;
      throw error;
    }
  }

  async #run(feeds: ChangeFeeds, replica: Replica, process: AbortSignal): Promise<void> {
    while (!process.aborted) {
      try {
        await this.#follow(feeds, replica, process);
      } catch (error) {
        if (process.aborted) return;
        this.#idleSince = undefined;
        if (isEntglDbError(error, 'RESUME_TOKEN_INVALID')) this.#token = undefined;
        else if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) throw error;
        await this.#pause();
      }
    }
  }

  async #follow(feeds: ChangeFeeds, replica: Replica, process: AbortSignal): Promise<void> {
    const from = this.#token === undefined ? {} : { resume: this.#token };
    const changes = feeds.watch<object>(this.#collection, { ...from, signal: process });
    if (this.#token === undefined) await this.#readAll(replica, process);
    this.#waits(process);
    for await (const change of changes) {
      this.#idleSince = undefined;
      if (change.kind === 'reset') await this.#readAll(replica, process);
      else if (change.kind === 'delete') this.#copy.delete(change.key);
      else if (change.kind === 'put') this.#copy.set(change.key, JSON.stringify(change.value));
      this.#token = change.resume;
      if (++this.#changes % CHANGES_WITHOUT_REST === 0 && this.#changes <= RESTS_MAX * CHANGES_WITHOUT_REST)
        await this.#pause(REST_MS);
      this.#waits(process);
    }
  }

  /** Throws if the process has ended meanwhile. */
  #waits(process: AbortSignal): void {
    process.throwIfAborted();
    this.#idleSince = this.#clock.monotonic();
  }

  /** What is read must be durable: the token says nothing of what a crash takes back later. */
  async #readAll(replica: Replica, process: AbortSignal): Promise<void> {
    while (replica.durablePos < replica.pos) {
      await this.#pause();
      process.throwIfAborted();
    }
    try {
      const documents = replica.store.documents(this.#collection, null, Number.MAX_SAFE_INTEGER);
      this.#copy.clear();
      for (const { key, value } of documents) if (value !== null) this.#copy.set(key, value);
    } catch (error) {
      this.#onDamage(error);
      throw error;
    }
  }

  #pause(ms = PAUSE_MS): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(ms, resolve));
  }
}
