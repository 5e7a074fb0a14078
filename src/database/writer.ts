import { type LoopShare, sleep } from '../core/clock/index.ts';
import type { Limits } from '../core/config/index.ts';
import { isEntglDbError, PersistenceError } from '../core/errors/index.ts';
import { type CollectionName, type DocumentKey, fullKey } from '../core/ids/index.ts';
import type { LocalOutcome, LocalTransaction, Replica } from './replica/index.ts';

/** Pause before a commit that found the database locked is retried, ms. */
const LOCK_PAUSE_MS = 50;

export interface WriterDeps {
  readonly replica: Replica;
  readonly limits: Limits;
  /** Yields between commits if a flush waits for nothing, as they would otherwise hold up the event loop. */
  readonly loopShare: LoopShare;
  /** Called when a commit met a damaged document. Writes to other documents succeeded. */
  readonly onDamage: (error: unknown) => void;
}

/** For each write of a transaction, in order: whether there was a document before. */
export type Existed = readonly boolean[];

/** Called right before a commit, in the same step. An error refuses the commit. */
export type Guard = () => Error | undefined;

interface Waiter {
  readonly transaction: LocalTransaction;
  readonly guard: Guard | undefined;
  readonly bytes: number;
  readonly resolve: (existed: Existed) => void;
  readonly reject: (error: unknown) => void;
  existed: Existed;
}

/**
 * Group commit. Writes made in one turn of the event loop, and writes made while the disk is busy, share a commit and a sync.
 * Each promise resolves when its write is durable.
 *
 *     write → pending ── microtask, full batch, or a read ──→ commit → committed ── sync ──→ resolved
 *
 * - Pending writes never exceed one commit (`commitWritesMax`, `commitBytesMax`): a full batch is committed immediately, so a
 *   loop without an await does not pile up texts. At most `writeQueueMax` writes are accepted and not yet durable.
 * - While a sync runs, further writes wait for its end instead of making small commits, which would need another sync anyway.
 * - A commit is synchronous: no transaction is ever open across an await.
 */
export class Writer {
  readonly #deps: WriterDeps;
  #pending: Waiter[] = [];
  #pendingWrites = 0;
  #pendingBytes = 0;
  /** Full keys of the documents of pending writes. */
  readonly #pendingPlaces = new Set<string>();
  /** Committed, not yet durable, waiting for the next sync. */
  #committed: Waiter[] = [];
  /** Committed and part of the running sync; undefined: none runs. */
  #syncing: Waiter[] | undefined;
  /** Number of accepted writes that are not durable yet. */
  #accepted = 0;
  #isTurnDue = false;
  #isCommitting = false;
  /** Set while another program has locked the database: waiting writes are retried when it ends. */
  #lockPause: Promise<void> | undefined;
  /** Monotonic time of the first commit that found the database locked. */
  #lockedSince: number | undefined;
  /** The newest sync and what follows from it. */
  #running: Promise<void> = Promise.resolve();

  constructor(deps: WriterDeps) {
    this.#deps = deps;
    deps.replica.onReload((cause) => this.#lose(cause));
  }

  /** Number of writes that are accepted but not durable yet. */
  get waiting(): number {
    return this.#accepted;
  }

  /** Whether another program has locked the database, so that commits wait. */
  get isLocked(): boolean {
    return this.#lockPause !== undefined;
  }

  /**
   * Accepts a transaction whose documents were already checked. Resolves when it is durable. Rejects with WRITE_QUEUE_FULL,
   * with the refusal of this transaction alone (CONCURRENCY_CONFLICT, TRANSACTION_TOO_LARGE), or with what the store threw.
   * With a guard it has a commit of its own, so that the guard has heard of all commits before.
   */
  write(transaction: LocalTransaction, guard?: Guard): Promise<Existed> {
    const { writes } = transaction;
    const { limits } = this.#deps;
    if (this.#accepted + writes.length > limits.writeQueueMax) return Promise.reject(queueFull(limits.writeQueueMax));
    let bytes = 0;
    for (const write of writes) bytes += write.value?.length ?? 0;
    if (this.#isOverfull(this.#pendingWrites + writes.length - 1, this.#pendingBytes + bytes - 1)) this.commitPending();
    const { promise, resolve, reject } = Promise.withResolvers<Existed>();
    this.#pending.push({ transaction, guard, bytes, resolve, reject, existed: [] });
    this.#notePlaces(transaction);
    this.#accepted += writes.length;
    this.#pendingWrites += writes.length;
    this.#pendingBytes += bytes;
    if (this.#isOverfull(this.#pendingWrites, this.#pendingBytes)) this.commitPending();
    else if (this.#syncing === undefined) this.#takeTurnSoon();
    return promise;
  }

  /**
   * Commits pending writes, so that a read sees every write made before it. Never throws: a failure rejects the promise of its
   * write. Does nothing while a commit runs (when a resolver reads) or while another program has locked the database.
   */
  commitPending(): void {
    if (this.#lockPause !== undefined) return;
    if (this.#pending.length === 0 || this.#isCommitting || this.#deps.replica.isResolving) return;
    const pending = this.#takePending();
    this.#isCommitting = true;
    try {
      for (let i = 0; i < pending.length && this.#lockPause === undefined; ) {
        const batch = this.#nextBatch(pending, i);
        i += batch.length;
        if (!this.#commit(batch)) this.#waitForLock(pending.slice(i - batch.length));
      }
    } finally {
      this.#isCommitting = false;
    }
    if (this.#syncing === undefined) this.#takeTurnSoon();
  }

  /** The same for a read of one document: pending writes to other documents may keep waiting for their batch. */
  commitPendingOf(collection: CollectionName, key: DocumentKey): void {
    if (this.#pending.length > 0 && this.#pendingPlaces.has(fullKey(collection, key))) this.commitPending();
  }

  /** Resolves when every write accepted before the call is durable or has failed. Rejects if the disk lost some of them. */
  async flush(): Promise<void> {
    this.commitPending();
    while (this.#lockPause !== undefined) await this.#lockPause;
    await this.#deps.replica.flush();
  }

  /** Resolves when no write waits any more, which requires that no new ones are accepted. */
  async drain(): Promise<void> {
    await this.flush();
    while (this.#accepted > 0) {
      this.#takeTurn();
      await (this.#lockPause ?? this.#running);
    }
  }

  #isOverfull(writes: number, bytes: number): boolean {
    return writes >= this.#deps.limits.commitWritesMax || bytes >= this.#deps.limits.commitBytesMax;
  }

  #takeTurnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    queueMicrotask(this.#takeTurn);
  }

  readonly #takeTurn = (): void => {
    this.#isTurnDue = false;
    this.commitPending();
    if (this.#syncing !== undefined || this.#committed.length === 0) return;
    const syncing = this.#committed;
    this.#syncing = syncing;
    this.#committed = [];
    this.#running = this.#flush().then(
      () => this.#settle(syncing),
      (error: unknown) => {
        // After a reload they have already been rejected, and newer commits are not affected.
        if (this.#syncing === syncing) this.#lose(error);
      },
    );
  };

  #flush(): Promise<void> {
    const { replica, loopShare } = this.#deps;
    const pause = replica.store.supports.isFlushImmediate ? loopShare.pause() : undefined;
    return pause === undefined ? replica.flush() : pause.then(() => replica.flush());
  }

  #takePending(): readonly Waiter[] {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingPlaces.clear();
    this.#pendingWrites = 0;
    this.#pendingBytes = 0;
    return pending;
  }

  #notePlaces({ writes }: LocalTransaction): void {
    for (const { collection, key } of writes) this.#pendingPlaces.add(fullKey(collection, key));
  }

  /** The next batch for one commit: usually all pending writes, unless they piled up while the database was locked. */
  #nextBatch(pending: readonly Waiter[], from: number): readonly Waiter[] {
    let [writes, bytes, to] = [0, 0, from];
    do {
      writes += pending[to]!.transaction.writes.length;
      bytes += pending[to]!.bytes;
      to++;
    } while (to < pending.length && !this.#isOverfull(writes, bytes) && !isAlone(pending[from]!, pending[to]!));
    return pending.slice(from, to);
  }

  /** Puts writes that could not be committed back in front, to be retried after a pause that blocks nothing. */
  #waitForLock(waiting: readonly Waiter[]): void {
    for (const { transaction, bytes } of waiting) {
      this.#pendingWrites += transaction.writes.length;
      this.#pendingBytes += bytes;
      this.#notePlaces(transaction);
    }
    this.#pending = [...waiting, ...this.#pending];
    this.#lockPause = sleep(this.#deps.replica.awaitedClock, LOCK_PAUSE_MS).then(() => {
      this.#lockPause = undefined;
      this.#takeTurn();
    });
  }

  /** Whether a failed commit found the database locked and is worth another try. */
  #mayWait(error: unknown): boolean {
    const { awaitedClock: clock, store } = this.#deps.replica;
    if (!isEntglDbError(error, 'DATABASE_LOCKED')) return false;
    this.#lockedSince ??= clock.monotonic();
    if (clock.monotonic() - this.#lockedSince < (store.supports.lockedMsMax ?? 0)) return true;
    this.#lockedSince = undefined;
    return false;
  }

  /** False: the database is locked, and nothing of the batch was settled. */
  #commit(batch: readonly Waiter[]): boolean {
    const refusal = batch[0]!.guard?.();
    if (refusal !== undefined) {
      this.#reject(batch[0]!, refusal);
      return true;
    }
    let outcomes: readonly LocalOutcome[];
    try {
      outcomes = this.#deps.replica.write(batch.map((waiter) => waiter.transaction));
    } catch (error) {
      if (this.#mayWait(error)) return false;
      this.#failed(batch, error);
      return true;
    }
    this.#lockedSince = undefined;
    for (let i = 0; i < batch.length; i++) this.#note(batch[i]!, outcomes[i]!);
    return true;
  }

  /** A damaged document fails only the writes that touch it. Any other error of the store concerns the whole commit. */
  #failed(batch: readonly Waiter[], error: unknown): void {
    const isDamage = isEntglDbError(error, 'DOCUMENT_CORRUPT');
    if (isDamage && batch.length > 1) {
      for (const waiter of batch) if (!this.#commit([waiter])) this.#failed([waiter], error);
      return;
    }
    for (const waiter of batch) this.#reject(waiter, error);
    if (isDamage) this.#deps.onDamage(error);
  }

  #note(waiter: Waiter, outcome: LocalOutcome): void {
    if (outcome.kind === 'refused') return this.#reject(waiter, outcome.error);
    waiter.existed = outcome.existed;
    this.#committed.push(waiter);
  }

  #settle(durable: readonly Waiter[]): void {
    if (this.#syncing !== durable) return;
    this.#syncing = undefined;
    for (const waiter of durable) {
      this.#accepted -= waiter.transaction.writes.length;
      waiter.resolve(waiter.existed);
    }
    // After the continuations of the promises just resolved, so that their writes join the same commit.
    if (this.#pending.length > 0 || this.#committed.length > 0) this.#takeTurnSoon();
  }

  /** Rejects all commits since the last durable point. Writes that are only pending are committed on what is left. */
  #lose(error: unknown): void {
    const lost = [...(this.#syncing ?? []), ...this.#committed];
    this.#syncing = undefined;
    this.#committed = [];
    for (const waiter of lost) this.#reject(waiter, error);
    if (this.#pending.length > 0) this.#takeTurnSoon();
  }

  #reject(waiter: Waiter, error: unknown): void {
    this.#accepted -= waiter.transaction.writes.length;
    waiter.reject(error);
  }
}

/** Whether one of the transactions has a guard, and so needs a commit of its own. */
function isAlone(...waiters: readonly Waiter[]): boolean {
  return waiters.some(({ guard }) => guard !== undefined);
}

function queueFull(max: number): PersistenceError {
  return new PersistenceError(
    'WRITE_QUEUE_FULL',
    `${max} writes wait for the disk already (Limits.writeQueueMax); await some of them before you write more`,
    { details: { writeQueueMax: max } },
  );
}
