import { type Clock, LoopShare, withDeadline } from '../../core/clock/index.ts';
import { TimeoutError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { documentOf, failedOperationText, type QueuedOperation } from './operation.ts';
import type { QueueTable } from './queue-table.ts';

/** Carries out one operation. It counts as done when the returned promise resolves, and as failed when it rejects. */
export type OperationHandler = (operation: QueuedOperation, context: OperationContext) => unknown;

/** What a handler gets besides the operation. */
export interface OperationContext {
  /** Aborts if the flush is aborted or the operation's time is over. A handler that continues regardless may overlap the next attempt. */
  readonly signal: AbortSignal;
  /** The operation's key, the same at each of its attempts. */
  readonly idempotencyKey: string;
  /** Number of this attempt, from 1, over all flushes. */
  readonly attempt: number;
}

/** The result of a flush. */
export interface FlushResult {
  /** Operations done; they have left the queue. */
  readonly successful: number;
  /** Operations whose handler failed; they stay, with their error. */
  readonly failed: number;
  /** Operations that were not tried because an earlier one on the same document failed. */
  readonly waiting: number;
}

export interface FlushRunDeps {
  readonly table: QueueTable;
  /** The last operation that belongs to the run. */
  readonly lastId: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handler: OperationHandler;
  /** Longest time for one operation, ms; 0: no limit. */
  readonly operationMsMax: number;
  /** Aborts the whole run. */
  readonly signal: AbortSignal;
  /** The run ends when operations on this many documents have failed. */
  readonly blockedDocumentsMax: number;
  /** Calls `run` in a later turn of the event loop. */
  readonly soon: (run: () => void) => void;
  readonly onAttempt: (id: number) => void;
}

/**
 * One pass over the operations up to the last one, in order, one at a time. An operation leaves the queue in its own commit
 * right after its handler has done it. Rejects with the signal's reason, or with an error of the store; operations that are not
 * done by then stay queued.
 */
export async function runFlush(deps: FlushRunDeps): Promise<FlushResult> {
  const { table, lastId, signal, blockedDocumentsMax } = deps;
  const result = { successful: 0, failed: 0, waiting: 0 };
  const blocked = new Set<string>();
  // Other work has its turn even if handlers never wait.
  const loopShare = new LoopShare(deps);
  for (let operation = table.next(0); operation && operation.id <= lastId; operation = table.next(operation.id)) {
    signal.throwIfAborted();
    await loopShare.pause();
    if (blocked.has(documentOf(operation))) result.waiting++;
    else if (await attempt(deps, operation)) result.successful++;
    else {
      result.failed++;
      blocked.add(documentOf(operation));
      if (blocked.size >= blockedDocumentsMax) break;
    }
  }
  return result;
}

/** Tries one operation; true if it is done. */
async function attempt(deps: FlushRunDeps, operation: QueuedOperation): Promise<boolean> {
  const { table, clock, logger, handler, operationMsMax, signal } = deps;
  const { id, idempotencyKey, type, collection, key } = operation;
  const attemptNumber = operation.attempts + 1;
  deps.onAttempt(id);
  try {
    await withDeadline(
      clock,
      operationMsMax,
      (own) => handler(operation, { signal: own, idempotencyKey, attempt: attemptNumber }),
      () => lateError(operation, operationMsMax),
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    logger.error({ id, type, collection, key, attempt: attemptNumber, err: error }, 'queued operation failed');
    // Read again: it may have been removed meanwhile, and the handler may have changed its copy.
    const held = table.get(id);
    if (held !== undefined) table.replace(id, failedOperationText(held, error, clock.now()));
    return false;
  }
  table.remove(id);
  return true;
}

function lateError({ type, collection, key }: QueuedOperation, operationMsMax: number): TimeoutError {
  return new TimeoutError(
    `the handler took more than ${operationMsMax} ms for the queued ${type} of ${collection}/${key}; it is tried again later`,
    { details: { type, collection, key, operationMsMax } },
  );
}
