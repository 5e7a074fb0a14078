import type { Clock } from '../../core/clock/index.ts';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import type { DocumentLimits } from '../../core/document/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { Random } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { guardMethods, type OptionNames, rejecting } from '../../core/options/index.ts';
import type { EntryKeeper } from '../entry-keeper.ts';
import { AutoFlush } from './auto-flush.ts';
import { type FlushResult, type OperationHandler, runFlush } from './flush-run.ts';
import { newOperationText, type PendingOperation, type QueuedOperation } from './operation.ts';
import { QueueTable } from './queue-table.ts';
import { SharedRun } from './shared-run.ts';

/** What left the queue without having been done. `operation` is undefined where it could not be read any more. */
export interface DroppedOperation {
  readonly id: number;
  readonly why: 'overflow' | 'damaged';
  readonly operation: QueuedOperation | undefined;
}

export interface OfflineQueueOptions {
  /** False: `enqueue` throws QUEUE_DISABLED; what is queued from before can still be flushed. Default true. */
  readonly isEnabled?: boolean;
  /** Operations that may wait, 1 to 10,000,000. Default 1,000. */
  readonly maxSize?: number;
  /** What a full queue does: refuse the new operation, or drop the oldest and report it. Default `reject`. */
  readonly overflow?: 'reject' | 'drop-oldest';
  /** Time that a handler has for one operation, ms; then the attempt has failed. 0: no limit. Default 30,000. */
  readonly operationMsMax?: number;
  /** Longest pause after a failed flush by the registered handler, ms; doubles up to `retryDelayMsMax`. Default 1,000. */
  readonly retryDelayMs?: number;
  /** Default 300,000. */
  readonly retryDelayMsMax?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Bounds of a document. Default: LIMITS. */
  readonly limits?: DocumentLimits;
  /** The first listener of `onDropped`: what is found damaged when the queue is opened, no later one hears of. */
  readonly onDropped?: (dropped: DroppedOperation) => void;
}

export interface OfflineQueueDeps {
  /** The database whose side table `queue` holds the operations: its `Replica`. */
  readonly keeper: EntryKeeper;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs something in a later turn of the event loop. Default: a timer of 0 ms. */
  readonly soon?: (run: () => void) => void;
}

export interface FlushOptions {
  /** Stops the flush: the operation under way and all behind it stay queued as they are, and no attempt is counted. */
  readonly signal?: AbortSignal;
}

const SIZE_MAX = 10_000_000;
/** A queue that stays full says so once in this time. */
const FULL_WARNING_MS = 60_000;

/**
 * Operations to be done later, kept in the database: they survive the end of the process, and with durability `full` a power
 * cut. At least once and in order for each document: an operation may be handed to the handler again after a crash, with
 * the same idempotency key. One that fails stays, with its error and the count of its attempts; later ones on the same
 * document wait for it, all others do not.
 *
 * Memory does not grow with the queue. After `close`, calls throw DATABASE_CLOSED.
 */
export class OfflineQueue {
  readonly isEnabled: boolean;
  readonly #options: OfflineQueueOptions & OfflineQueueDeps;
  readonly #logger: Logger;
  readonly #table: QueueTable;
  readonly #auto: AutoFlush;
  readonly #run = new SharedRun<FlushResult>();
  readonly #unsubscribe: () => void;
  #maxSize: number;
  #overflow: 'reject' | 'drop-oldest';
  readonly #listeners = new Set<(dropped: DroppedOperation) => void>();
  #handler: OperationHandler | undefined;
  #attempted = 0;
  #durable: Promise<void> | undefined;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** Throws RangeError for options out of range, and what the store throws when the queue is read. */
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

  /** Operations that may wait. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** What a full queue does. */
  get overflow(): 'reject' | 'drop-oldest' {
    return this.#overflow;
  }

  /** Another size, and what a full queue does; more that waits already stays. Throws RangeError for a size out of range. */
  resize(maxSize: number, overflow: 'reject' | 'drop-oldest' = this.#overflow): void {
    this.#maxSize = checkSize(maxSize);
    this.#overflow = overflow;
  }

  /** Called for each operation that goes without having been done. Returns what ends the subscription. */
  onDropped(listener: (dropped: DroppedOperation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Operations that wait. */
  get count(): number {
    return this.#table.count;
  }

  /**
   * Queues an operation. Returns at once; the promise resolves with its id when it is durable and rejects when the disk
   * refused that, in which case it is not queued. Nobody has to wait for the promise: a failure is logged, and never becomes an
   * unhandled rejection.
   *
   * Throws at once, and queues nothing: PERSISTENCE_ERROR / QUEUE_FULL when `maxSize` operations wait and `overflow` is
   * `reject`, QUEUE_DISABLED, INVALID_NAME, INVALID_DOCUMENT, DOCUMENT_TOO_LARGE, DATABASE_CLOSED, or what the store throws
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
   * Hands everything that is queued now to the handler, in order, one at a time, and resolves with how many were done and how
   * many failed. While a flush runs, further calls get its result and their handler is not used.
   *
   * Rejects with `signal.reason` when aborted (a shared flush goes on for those who still wait), or with what the store
   * throws; operations that are not done by then stay queued.
   */
  async flush(handler: OperationHandler, options: FlushOptions = {}): Promise<FlushResult> {
    this.#assertOpen();
    return this.#run.join((signal) => this.#flush(handler, signal), options.signal);
  }

  /** Registers the handler with which the queue flushes by itself while online (`setOnline`). Returns what takes it back. */
  register(handler: OperationHandler): () => void {
    this.#assertOpen();
    this.#handler = handler;
    this.#auto.restart();
    return () => {
      if (this.#handler === handler) this.#handler = undefined;
    };
  }

  /** Whether peers can be reached now. Going online starts a flush if a handler is registered; going offline stops it. */
  setOnline(isOnline: boolean): void {
    if (!this.#isClosed) this.#auto.setOnline(isOnline);
  }

  /** Tries again now what failed, instead of after the pause. Does nothing while offline or without a registered handler. */
  retry(): void {
    this.#assertOpen();
    this.#auto.restart();
  }

  /** The first operations in order, at most `limit` of them (default 1); copies. */
  peek(limit = 1): QueuedOperation[] {
    this.#assertOpen();
    return this.#table.after(0, limit);
  }

  /** Takes one operation out without doing it. False when it is not queued. */
  async remove(id: number): Promise<boolean> {
    this.#assertOpen();
    const isRemoved = this.#table.remove(id);
    await this.#options.keeper.flush();
    return isRemoved;
  }

  /** Removes all operations that are queued now, without doing them; resolves with how many. */
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
   * Stops the flush that runs; everything stays queued for the next start, and is durable when this resolves. Idempotent.
   * Call it before the database is closed.
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
    try {
      const result = await runFlush({
        table: this.#table,
        clock,
        logger: this.#logger,
        handler,
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

  /** The oldest operation that is not just being done, or QUEUE_FULL. */
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

  /** Operations queued in one turn share one sync. */
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
