import { AsyncLocalStorage } from 'node:async_hooks';
import { abortable, type Clock, withDeadline } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { ConcurrencyError, PersistenceError, TimeoutError } from '../../core/errors/index.ts';
import type { TransactionOptions } from '../api.ts';
import type { DocumentHost } from '../document-host.ts';
import type { LocalWrite, Replica } from '../replica/index.ts';
import type { Guard } from '../writer.ts';
import { TransactionHost } from './transaction-host.ts';

/** The database of the transactions. */
export interface TransactionsBase extends DocumentHost {
  readonly clock: Clock;
  /** Commits all waiting writes, so that `onCommit` has reported every earlier write. */
  commitPending(): void;
  /** Tells of commits, and of lost ones, after which what was read may be wrong. */
  readonly replica: Pick<Replica, 'onCommit' | 'onReload'>;
}

/** Commits all writes together, synchronously if possible, unless the guard refuses immediately before. */
type Commit = (writes: readonly LocalWrite[], guard: Guard) => WholeCommit;

export interface WholeCommit {
  readonly durable: Promise<unknown>;
  /** Whether it is not committed yet. */
  readonly isWaiting: boolean;
}

interface Outcome<Result> {
  readonly result: Result;
  readonly durable: Promise<unknown>;
}

/**
 * Transactions over collections. One runs at a time on this node; other writes are not locked out. Each run records what it
 * reads, and if another commit changes any of that, it runs again (optimistic concurrency control, Kung and Robinson 1981,
 * with backward validation at each commit). The check and the commit are one synchronous step, so no write can come between
 * them, and the transaction could have happened entirely at that moment (ADR 0007).
 */
export class Transactions {
  readonly #base: TransactionsBase;
  readonly #commit: Commit;
  readonly #running = new AsyncLocalStorage<TransactionHost>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(base: TransactionsBase, commit: Commit) {
    this.#base = base;
    this.#commit = commit;
  }

  async run<Result>(
    work: (host: TransactionHost) => Result | Promise<Result>,
    { signal, timeoutMs = TIMES.transactionMs }: TransactionOptions,
  ): Promise<Result> {
    if (this.#running.getStore()?.isOver === false)
      throw new TypeError('a transaction cannot begin within another one; use the `tx` of the one that runs');
    if (!(timeoutMs >= 0))
      throw new RangeError(`timeoutMs is ${timeoutMs}; it is a number from 0, which means no limit`);
    signal?.throwIfAborted();
    const leave = await this.#enter(signal);
    try {
      const late = (): Error => tookTooLong(timeoutMs);
      const attempts = (inner: AbortSignal): Promise<Outcome<Result>> => this.#attempts(work, inner);
      const outcome = await withDeadline(this.#base.clock, timeoutMs, attempts, late, signal);
      leave();
      await abortable(outcome.durable, signal);
      return outcome.result;
    } finally {
      leave();
    }
  }

  /** Waits for the turn of this transaction. Resolves with a function that passes the turn to the next one. */
  async #enter(signal: AbortSignal | undefined): Promise<() => void> {
    const { transactionsWaitingMax } = this.#base.limits;
    if (this.#waiting >= transactionsWaitingMax) throw queueFull(transactionsWaitingMax);
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => promise);
    this.#waiting++;
    try {
      await abortable(before, signal);
      return leave;
    } catch (error) {
      leave();
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  async #attempts<Result>(
    work: (host: TransactionHost) => Result | Promise<Result>,
    signal: AbortSignal,
  ): Promise<Outcome<Result>> {
    for (let attempt = 1; ; attempt++) {
      // A retry queries synchronously, so that steady writes to a collection cannot make it run again forever.
      const host = new TransactionHost(this.#base, attempt === 1);
      const outcome = await this.#attempt(host, work, signal);
      if (outcome !== undefined) return outcome;
      if (attempt < this.#base.limits.transactionAttemptsMax) continue;
      const { collection = '', key = '' } = host.changed ?? {};
      throw new ConcurrencyError(collection, key, undefined);
    }
  }

  /** Undefined if anything that it read has changed. */
  async #attempt<Result>(
    host: TransactionHost,
    work: (host: TransactionHost) => Result | Promise<Result>,
    signal: AbortSignal,
  ): Promise<Outcome<Result> | undefined> {
    const { replica } = this.#base;
    const end = (): void => host.end();
    const stops = [replica.onCommit((notice) => host.committed(notice)), replica.onReload(() => host.lost())];
    signal.addEventListener('abort', end, { once: true });
    try {
      const result = await this.#running.run(host, async () => work(host));
      signal.throwIfAborted();
      this.#base.commitPending();
      if (host.isStale) return undefined;
      const writes = host.writes();
      if (writes.length === 0) return { result, durable: Promise.resolve() };
      const { durable, isWaiting } = this.#commit(writes, () => (signal.aborted ? signal.reason : host.refusal()));
      // If the caller has stopped waiting, a failed flush must not be an unhandled rejection; the replica reloads anyway.
      durable.catch(() => {});
      if (isWaiting) await durable;
      return { result, durable };
    } catch (error) {
      if (host.isInterrupted && !signal.aborted) return undefined;
      throw error;
    } finally {
      for (const stop of stops) stop();
      signal.removeEventListener('abort', end);
      host.end();
    }
  }
}

function tookTooLong(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `the transaction did not end within ${timeoutMs} ms and was given up; do what takes long before it begins`,
    { details: { timeoutMs } },
  );
}

function queueFull(max: number): PersistenceError {
  return new PersistenceError(
    'WRITE_QUEUE_FULL',
    `${max} transactions wait for their turn already (Limits.transactionsWaitingMax); await some of them first`,
    { details: { transactionsWaitingMax: max } },
  );
}
