import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../core/clock/index.ts';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import type { DocumentLimits } from '../../core/document/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { Random } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { guardCallers, guardMethods, type OptionNames, rejecting } from '../../core/options/index.ts';
import type { EntryKeeper } from '../entry-keeper.ts';
import { AutoFlush } from './auto-flush.ts';
import { type FlushResult, type OperationContext, type OperationHandler, runFlush } from './flush-run.ts';
import { newOperationText, type PendingOperation, type QueuedOperation } from './operation.ts';
import { QueueTable } from './queue-table.ts';
import { SharedRun } from './shared-run.ts';

/** An operation that left the queue without having been done. */
export interface DroppedOperation {
  readonly id: number;
  /** `overflow`: the queue was full. `damaged`: it could not be read. */
  readonly why: 'overflow' | 'damaged';
  /** Undefined if it could not be read. */
  readonly operation: QueuedOperation | undefined;
}

export interface OfflineQueueOptions {
  /** False: `enqueue` throws QUEUE_DISABLED; operations queued before can still be flushed. Default true. */
  readonly isEnabled?: boolean;
  /** How many operations may wait, 1 to 10,000,000. Default 1,000. */
  readonly maxSize?: number;
  /** What a full queue does: refuse the new operation, or drop the oldest and report it. Default `reject`. */
  readonly overflow?: 'reject' | 'drop-oldest';
  /** How long a handler may take for one operation, ms, before the attempt counts as failed. 0: no limit. Default 30,000. */
  readonly operationMsMax?: number;
  /** Longest pause after a failed flush by the registered handler, ms; doubles up to `retryDelayMsMax`. Default 1,000. */
  readonly retryDelayMs?: number;
  /** Longest pause after any failed flush, ms. Default 300,000. */
  readonly retryDelayMsMax?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Bounds of a document. Default: LIMITS. */
  readonly limits?: DocumentLimits;
  /** A first listener as for `onDropped`. Only it hears of operations that are found damaged when the queue is opened. */
  readonly onDropped?: (dropped: DroppedOperation) => void;
}

export interface OfflineQueueDeps {
  /** Holds the operations in its side table `queue`: the `Replica` of a database. */
  readonly keeper: EntryKeeper;
  readonly clock: Clock;
  readonly random: Random;
  /** Calls `run` in a later turn of the event loop. Default: a timer of 0 ms. */
  readonly soon?: (run: () => void) => void;
}

export interface FlushOptions {
  /** Aborts the flush: the operation under way and all after it stay queued unchanged, and no attempt is counted. */
  readonly signal?: AbortSignal;
}

/** A call of a handler that the running flush waits for. */
interface Attempt {
  readonly signal: AbortSignal;
  isOver: boolean;
}

const SIZE_MAX = 10_000_000;
/** A queue that stays full logs that once per this time. */
const FULL_WARNING_MS = 60_000;

/**
 * Operations to do later, kept in the database: they survive the end of the process and, with durability `full`, a power cut.
 * Each is handed to the handler at least once, in order for each document; after a crash it may be handed over again, with the
 * same idempotency key. An operation that fails stays, with its error and the number of its attempts. Later ones on the same
 * document wait for it, all others do not.
 *
 * Memory does not grow with the queue. After `close`, calls throw DATABASE_CLOSED.
 */
export class OfflineQueue {
  /** Whether `enqueue` takes operations. */
  readonly isEnabled: boolean;
  readonly #options: OfflineQueueOptions & OfflineQueueDeps;
  readonly #logger: Logger;
  readonly #table: QueueTable;
  readonly #auto: AutoFlush;
  readonly #run = new SharedRun<FlushResult>();
  readonly #attempts = new AsyncLocalStorage<Attempt>();
  readonly #unsubscribe: () => void;
  #maxSize: number;
  #overflow: 'reject' | 'drop-oldest';
  readonly #listeners = new Set<(dropped: DroppedOperation) => void>();
  #handler: OperationHandler | undefined;
  #attempted = 0;
  #durable: Promise<void> | undefined;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** Throws RangeError for options out of range, or an error of the store when it reads the queue. */
  constructor(options: OfflineQueueOptions & OfflineQueueDeps) {
    this.#maxSize = checkSize(options.maxSize ?? 1000);
    this.#overflow = options.overflow ?? 'reject';
    this.isEnabled = options.isEnabled ?? true;
    this.#options = options;
    if (options.onDropped !== undefined) this.#listeners.add(options.onDropped);
    this.#logger = options.logger ?? silentLogger;
    this.#table = new QueueTable(options.keeper, this.#logger, (id) =>
      this.#dropped({ id, why: 'damaged', operation: undefined }),
    );
    this.#auto = new AutoFlush({
      clock: options.clock,
      random: options.random,
      logger: this.#logger,
      delayMs: options.retryDelayMs ?? TIMES.queueRetryMs,
      delayMsMax: options.retryDelayMsMax ?? TIMES.queueRetryMsMax,
      count: () => this.count,
      flush: (signal) => this.#handler && this.flush(this.#handler, { signal }),
    });
    this.#unsubscribe = options.keeper.onReload(() => this.#table.recount());
  }

  /** How many operations may wait. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** What a full queue does. */
  get overflow(): 'reject' | 'drop-oldest' {
    return this.#overflow;
  }

  /** Changes the size and what a full queue does. Operations beyond a smaller size stay. Throws RangeError for a size out of range. */
  resize(maxSize: number, overflow: 'reject' | 'drop-oldest' = this.#overflow): void {
    this.#maxSize = checkSize(maxSize);
    this.#overflow = overflow;
  }

  /** Calls `listener` for each operation that is dropped without having been done. Returns a function that ends the subscription. */
  onDropped(listener: (dropped: DroppedOperation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many operations wait. */
  get count(): number {
    return this.#table.count;
  }

  /**
   * Queues an operation. The promise resolves with its id when it is durable, and rejects if the disk refused it; it is then not
   * queued. You need not await the promise: a failure is logged, and never becomes an unhandled rejection.
   *
   * Throws synchronously, queueing nothing: PERSISTENCE_ERROR / QUEUE_FULL if `maxSize` operations wait and `overflow` is
   * `reject`, QUEUE_DISABLED, INVALID_NAME, INVALID_DOCUMENT, DOCUMENT_TOO_LARGE, DATABASE_CLOSED, or an error of the store
   * (DISK_FULL …); TypeError for a type other than `put` and `delete`.
   */
  enqueue(operation: PendingOperation): Promise<number> {
    this.#assertOpen();
    if (!this.isEnabled) throw disabledError();
    const { limits = LIMITS, random, clock } = this.#options;
    const text = newOperationText(operation, limits, random, clock.now());
    const oldest = this.count < this.maxSize ? undefined : this.#makeRoom(operation);
    const id = this.#table.append(text, oldest?.id);
    if (oldest !== undefined) this.#dropped({ id: oldest.id, why: 'overflow', operation: oldest });
    const durable = this.#makeDurable().then(() => id);
    durable.catch(() => {
      const { type, collection, key } = operation;
      this.#logger.error({ id, type, collection, key }, 'a queued operation was lost: the disk could not keep it');
    });
    this.#auto.wake();
    return durable;
  }

  /**
   * Hands all queued operations to the handler, in order, one at a time, and resolves with how many were done and how many failed.
   * While a flush runs, further calls get its result, and their handler is not used.
   *
   * Rejects with `signal.reason` if aborted (a shared flush continues for those who still wait), or with an error of the store;
   * operations that are not done by then stay queued. Within a handler it rejects with TypeError.
   */
  async flush(handler: OperationHandler, options: FlushOptions = {}): Promise<FlushResult> {
    this.#assertOpen();
    const attempt = this.#attempts.getStore();
    // The flush ends after the handler, so a handler that waits for the flush would wait for itself.
    if (attempt?.isOver === false && !attempt.signal.aborted)
      throw new TypeError('a handler cannot flush the offline queue; what it queues is done by the next flush');
    return this.#run.join((signal) => this.#flush(handler, signal), options.signal);
  }

  /** Registers the handler with which the queue flushes automatically while online (`setOnline`). Returns a function that removes it. */
  register(handler: OperationHandler): () => void {
    this.#assertOpen();
    this.#handler = handler;
    this.#auto.restart();
    return () => {
      if (this.#handler === handler) this.#handler = undefined;
    };
  }

  /** Sets whether peers can be reached. Going online starts a flush if a handler is registered; going offline stops it. */
  setOnline(isOnline: boolean): void {
    if (!this.#isClosed) this.#auto.setOnline(isOnline);
  }

  /** Retries failed operations now instead of after the pause. Does nothing while offline or without a registered handler. */
  retry(): void {
    this.#assertOpen();
    this.#auto.restart();
  }

  /** Copies of the first operations in order, at most `limit` (default 1). */
  peek(limit = 1): QueuedOperation[] {
    this.#assertOpen();
    return this.#table.after(0, limit);
  }

  /** Removes one operation without doing it. Resolves with false if it is not queued. */
  async remove(id: number): Promise<boolean> {
    this.#assertOpen();
    const isRemoved = this.#table.remove(id);
    await this.#options.keeper.flush();
    return isRemoved;
  }

  /** Removes all operations queued now without doing them; resolves with their number. */
  async clear(): Promise<number> {
    this.#assertOpen();
    const { lastId } = this.#table;
    let removed = 0;
    for (let some = this.#table.removeSome(lastId); some > 0; some = this.#table.removeSome(lastId)) {
      removed += some;
      await this.#options.keeper.flush();
      this.#assertOpen();
    }
    return removed;
  }

  /**
   * Stops the running flush. Everything stays queued for the next start, and is durable when this resolves. Idempotent. Call it
   * before the database is closed.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return this.#run.stop(closedError());
    this.#isClosed = true;
    this.#auto.stop();
    await this.#run.stop(closedError());
    this.#unsubscribe();
    await this.#options.keeper.flush();
  }

  async #flush(handler: OperationHandler, signal: AbortSignal): Promise<FlushResult> {
    const { clock, keeper, operationMsMax = TIMES.queueOperationMsMax } = this.#options;
    const soon = this.#options.soon ?? ((run: () => void) => void clock.setTimer(0, run));
    const before = this.count;
    const { lastId } = this.#table;
    // Nothing is done before it is durable: whoever queued an operation that the disk lost is told so, and may queue it again.
    await keeper.flush();
    try {
      const result = await runFlush({
        table: this.#table,
        lastId,
        clock,
        logger: this.#logger,
        handler: (operation, context) => this.#attempt(handler, operation, context),
        operationMsMax,
        signal,
        soon,
        blockedDocumentsMax: LIMITS.queueBlockedDocumentsMax,
        onAttempt: (id) => {
          this.#attempted = id;
        },
      });
      this.#logger.debug({ ...result, queued: this.count }, 'offline queue flushed');
      await keeper.flush();
      return result;
    } finally {
      this.#attempted = 0;
      if (this.count < before) this.#warnedAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Calls the handler so that `flush` can tell that it is called within. */
  async #attempt(handler: OperationHandler, operation: QueuedOperation, context: OperationContext): Promise<void> {
    const attempt: Attempt = { signal: context.signal, isOver: false };
    try {
      await this.#attempts.run(attempt, () => handler(operation, context));
    } finally {
      attempt.isOver = true;
    }
  }

  /** The oldest operation that is not under way; throws QUEUE_FULL if it may not be dropped. */
  #makeRoom({ type, collection, key }: PendingOperation): QueuedOperation {
    const oldest = this.#table.after(0, 2).find(({ id }) => id !== this.#attempted);
    if (this.overflow === 'drop-oldest' && oldest !== undefined) return oldest;
    const { clock } = this.#options;
    if (clock.monotonic() - this.#warnedAt >= FULL_WARNING_MS) {
      this.#warnedAt = clock.monotonic();
      this.#logger.warn({ maxSize: this.maxSize, type, collection, key }, 'the offline queue is full');
    }
    throw fullError(this.maxSize);
  }

  #dropped(dropped: DroppedOperation): void {
    const { id, why, operation } = dropped;
    const { type, collection, key } = operation ?? {};
    if (why === 'overflow')
      this.#logger.warn({ id, type, collection, key }, 'a queued operation was dropped: queue full');
    for (const listener of this.#listeners) {
      try {
        listener(dropped);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener for dropped operations threw');
      }
    }
  }

  /** Operations queued in one turn share one flush. */
  #makeDurable(): Promise<void> {
    this.#durable ??= Promise.resolve().then(() => {
      this.#durable = undefined;
      return this.#options.keeper.flush();
    });
    return this.#durable;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closedError();
  }
}

function checkSize(maxSize: number): number {
  if (Number.isInteger(maxSize) && maxSize >= 1 && maxSize <= SIZE_MAX) return maxSize;
  throw new RangeError(`maxSize is ${maxSize}; give a whole number from 1 to ${SIZE_MAX}`);
}

function fullError(maxSize: number): PersistenceError {
  return new PersistenceError(
    'QUEUE_FULL',
    `${maxSize} operations wait in the offline queue already; flush it, or raise Sync.MaxQueueSize`,
    { details: { maxSize } },
  );
}

function disabledError(): PersistenceError {
  return new PersistenceError('QUEUE_DISABLED', 'the offline queue is turned off; set Sync.EnableOfflineQueue to true');
}

function closedError(): PersistenceError {
  return new PersistenceError('DATABASE_CLOSED', 'the offline queue is closed; open the database again');
}

const FLUSH: OptionNames<FlushOptions> = { signal: true };

guardMethods(OfflineQueue.prototype, { flush: rejecting(1, FLUSH) });
guardCallers(OfflineQueue.prototype, { flush: 'rejects', register: 'throws', onDropped: 'throws' });
