import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, withDeadline } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { ConcurrencyError, PersistenceError, TimeoutError } from '../../core/errors/index.ts';
import { abortable } from '../abortable.ts';
import type { TransactionOptions } from '../api.ts';
import type { DocumentHost } from '../document-host.ts';
import type { CommitNotice, LocalWrite } from '../replica/index.ts';
import type { Guard } from '../writer.ts';
import { TransactionHost } from './transaction-host.ts';

export interface TransactionsDeps {
  /** The database that transactions read. */
  readonly host: DocumentHost;
  readonly clock: Clock;
  /** Commits what waits, so that `onCommit` has told of every write made before. */
  readonly commitPending: () => void;
  readonly onCommit: (listener: (notice: CommitNotice) => void) => () => void;
  /** Commits were lost: whatever was read may not be true any more. */
  readonly onReload: (listener: () => void) => () => void;
  /** Commits as one, within the call where it can, unless the guard refuses right before. */
  readonly commit: (writes: readonly LocalWrite[], guard: Guard) => WholeCommit;
}

export interface WholeCommit {
  readonly durable: Promise<unknown>;
  /** It could not be committed yet. */
  readonly isWaiting: boolean;
}

interface Outcome<Result> {
  readonly result: Result;
  readonly durable: Promise<unknown>;
}

/**
 * Transactions over collections: one at a time on this node, and without locks for everybody else. Each run remembers what
 * it reads; a commit of others that touches any of it makes it run again (optimistic concurrency control, Kung and Robinson
 * 1981, with backward validation at each commit). The check and the commit are one synchronous step, so that no write can
 * come between: what is committed could have happened all at that moment (ADR 0007).
 */
export class Transactions {
  readonly #deps: TransactionsDeps;
  readonly #running = new AsyncLocalStorage<TransactionHost>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(deps: TransactionsDeps) {
    this.#deps = deps;
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
      const outcome = await withDeadline(this.#deps.clock, timeoutMs, attempts, late, signal);
      leave();
      await abortable(outcome.durable, signal);
      return outcome.result;
    } finally {
      leave();
    }
  }

  /** Resolves when it is this one's turn, with what gives the turn to the next. */
  async #enter(signal: AbortSignal | undefined): Promise<() => void> {
    const { transactionsWaitingMax } = this.#deps.host.limits;
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
    const { host: base } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      // Steady writes to a collection that is looked through must not make it begin again for ever.
      const host = new TransactionHost(base, attempt === 1);
      const outcome = await this.#attempt(host, work, signal);
      if (outcome !== undefined) return outcome;
      if (attempt < base.limits.transactionAttemptsMax) continue;
      const { collection = '', key = '' } = host.changed ?? {};
      throw new ConcurrencyError(collection, key, undefined);
    }
  }

  /** Undefined: what it read has changed. */
  async #attempt<Result>(
    host: TransactionHost,
    work: (host: TransactionHost) => Result | Promise<Result>,
    signal: AbortSignal,
  ): Promise<Outcome<Result> | undefined> {
    const { commitPending, onCommit, onReload, commit } = this.#deps;
    const end = (): void => host.end();
    const stops = [onCommit((notice) => host.committed(notice)), onReload(() => host.lost())];
    signal.addEventListener('abort', end, { once: true });
    try {
      const result = await this.#running.run(host, async () => work(host));
      signal.throwIfAborted();
      commitPending();
      if (host.isStale) return undefined;
      const writes = host.writes();
      if (writes.length === 0) return { result, durable: Promise.resolve() };
      const { durable, isWaiting } = commit(writes, () => (signal.aborted ? signal.reason : host.refusal()));
      // Whoever has stopped waiting by then is not told of a failing disk; the database is, by its reload.
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
