import { abortable } from '../core/clock/index.ts';
import { PersistenceError } from '../core/errors/index.ts';
import { type CollectionName, parseCollectionName, type ReplicaId } from '../core/ids/index.ts';
import type { Conflict, ConflictOptions } from './api.ts';
import type { WaitOptions } from './document-api.ts';
import { toDocumentVersion } from './history/index.ts';
import type { LedgerEntry, LocalWrite, Replica } from './replica/index.ts';

/** The database of the conflicts. */
export interface ConflictsHost {
  readonly replica: Replica;
  /** Human name of the node that writes under this id; null if it is not known. */
  nodeOf(replica: ReplicaId): string | null;
  assertOpen(): void;
  commitPending(): void;
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<unknown>;
}

const LIST_MAX_DEFAULT = 100;

/** The public face of the conflict ledger: lists it, watches it, and brings versions back. */
export class Conflicts {
  readonly #host: ConflictsHost;
  readonly #watchers = new Set<() => void>();
  #isClosed = false;

  constructor(host: ConflictsHost) {
    this.#host = host;
    host.replica.onDurable(() => this.#wake());
  }

  list({ collection, limit = LIST_MAX_DEFAULT, signal }: ConflictOptions): Conflict[] {
    signal?.throwIfAborted();
    if (!Number.isSafeInteger(limit) || limit < 0)
      throw new RangeError(`limit is ${limit}; it is a whole number from 0`);
    this.#host.commitPending();
    const name = collection === undefined ? undefined : parseCollectionName(collection);
    return this.#host.replica.conflicts.list(name, limit).map((entry) => this.#toConflict(entry));
  }

  /** Conflicts from this call on. Holds at most one page. Ends by `return` or when the database closes; rejects if the signal aborts. */
  watch({ signal }: WaitOptions): AsyncGenerator<Conflict, void> {
    this.#host.assertOpen();
    return this.#follow(this.#host.replica.conflicts.newestId, signal);
  }

  /** Yields only entries that a flush has covered. Lost commits take their entries with them, and their ids are used again. */
  async *#follow(from: number, signal: AbortSignal | undefined): AsyncGenerator<Conflict, void> {
    const { replica } = this.#host;
    for (let seen = from; !this.#isClosed; ) {
      signal?.throwIfAborted();
      const durable = replica.conflicts.newestId;
      seen = Math.min(seen, durable);
      await abortable(replica.flush(), signal);
      const page = this.#isClosed ? [] : replica.conflicts.after(seen).filter(({ id }) => id <= durable);
      for (const entry of page) {
        yield this.#toConflict(entry);
        signal?.throwIfAborted();
        seen = entry.id;
      }
      if (page.length === 0) await this.#next(signal);
    }
  }

  async restore(id: number, { signal }: WaitOptions): Promise<void> {
    signal?.throwIfAborted();
    this.#host.commitPending();
    const entry = Number.isSafeInteger(id) && id > 0 ? this.#host.replica.conflicts.get(id) : undefined;
    if (entry === undefined) throw notFound(id);
    const { collection, key, loser } = entry;
    await abortable(this.#host.write(collection, [{ collection, key, value: loser.value }]), signal);
  }

  /** Ends all watchers. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    const woken = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of woken) wake();
  }

  /** Resolves when something became durable, or the database closes. */
  async #next(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.add(resolve);
    try {
      await abortable(promise, signal);
    } finally {
      this.#watchers.delete(resolve);
    }
  }

  #toConflict({ id, at, collection, key, resolver, loser, winner }: LedgerEntry): Conflict {
    const nodeOf = (replica: ReplicaId): string | null => this.#host.nodeOf(replica);
    const [lost, won] = [toDocumentVersion(loser, nodeOf), toDocumentVersion(winner, nodeOf)];
    const nodes = [...new Set([lost, won].map(({ node, replica }) => node ?? replica))];
    return { id, at, collection, key, resolver, nodes, loser: lost, winner: won };
  }
}

function notFound(id: number): PersistenceError {
  return new PersistenceError(
    'CONFLICT_NOT_FOUND',
    `the conflict ledger of this node has no entry ${id}; \`conflicts\` lists those that it keeps`,
    { details: { id } },
  );
}
