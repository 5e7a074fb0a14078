import type { Clock } from '../src/core/clock/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import { OfflineQueue, type QueuedOperation } from '../src/resilience/offline-queue/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { isRefusal } from './refusal.ts';

/** Few documents, so that operations wait for each other; and a small queue, so that it gets full. */
const DOCUMENTS = 3;
const WAITING_MAX = 8;
const HANDLER_MS_MAX = 40;
const FAILURE_CHANCE = 0.1;
const SLOW_CHANCE = 0.05;
const OPERATION_MS_MAX = 200;
const RETRY_MS = 100;

/** An operation as it truly was. */
interface TrueOperation {
  readonly key: string;
  readonly node: string;
  /** `enqueue` resolved. */
  isAcknowledged: boolean;
  /** `enqueue` rejected: its node must not have done it before, and not do it later. A copy of its disk may hold it still. */
  isRefused: boolean;
  readonly doneBy: Set<string>;
  /** It was dropped and reported, or its disk was replaced. */
  isGone: boolean;
}

/** All that the operations of all nodes are for. As a server does, it recognises a repetition by its idempotency key. */
export class QueueServer {
  readonly #operations: TrueOperation[] = [];
  readonly #firstUnder = new Map<string, number>();
  readonly problems: string[] = [];

  enqueued(node: string, key: string): number {
    this.#operations.push({ key, node, isAcknowledged: false, isRefused: false, doneBy: new Set(), isGone: false });
    return this.#operations.length - 1;
  }

  acknowledged(n: number): void {
    this.#operations[n]!.isAcknowledged = true;
  }

  refused(n: number): void {
    const operation = this.#operations[n]!;
    operation.isRefused = true;
    if (operation.doneBy.has(operation.node))
      this.problems.push(`queue: ${textOf(n, operation)} was done, and then its enqueue rejected`);
  }

  gone(n: number): void {
    this.#operations[n]!.isGone = true;
  }

  hasDone(n: number): boolean {
    return this.#operations[n]!.doneBy.size > 0;
  }

  /** A disk is gone, and with it what its queue held. */
  lostDisk(node: string): void {
    for (const operation of this.#operations) if (operation.node === node) operation.isGone = true;
  }

  perform(n: number, idempotencyKey: string, node: string): void {
    const operation = this.#operations[n]!;
    const first = this.#firstUnder.get(idempotencyKey);
    if (first !== undefined && first !== n)
      this.problems.push(`queue: ${textOf(n, operation)} has the idempotency key of #${first}`);
    if (first === undefined && operation.doneBy.size > 0)
      this.problems.push(`queue: ${textOf(n, operation)} is done a second time under another key`);
    this.#firstUnder.set(idempotencyKey, n);
    if (operation.isRefused && node === operation.node)
      this.problems.push(`queue: ${textOf(n, operation)} is done though its enqueue rejected`);
    operation.doneBy.add(node);
  }

  /** Acknowledged operations that were never done; ask once all queues are empty. */
  undone(): string[] {
    return this.#operations.flatMap((operation, n) =>
      operation.isAcknowledged && operation.doneBy.size === 0 && !operation.isGone
        ? [`queue: ${textOf(n, operation)} was acknowledged and is never done`]
        : [],
    );
  }
}

export interface QueueProgramDeps {
  readonly node: string;
  readonly replica: Replica;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly server: QueueServer;
}

/** A program in one process of a node that queues operations for a server, with a server that is slow and often fails. */
export class QueueProgram {
  readonly #deps: QueueProgramDeps;
  readonly #queue: OfflineQueue;
  /** By document, the newest operation that this process has done. */
  readonly #newest = new Map<string, number>();
  #isRunning = true;

  constructor(deps: QueueProgramDeps) {
    this.#deps = deps;
    const { replica, clock, random, server } = deps;
    this.#queue = new OfflineQueue({
      keeper: replica,
      clock,
      random,
      soon: (run) => void clock.setTimer(0, run),
      maxSize: WAITING_MAX,
      overflow: random.chance(0.5) ? 'reject' : 'drop-oldest',
      operationMsMax: OPERATION_MS_MAX,
      retryDelayMs: RETRY_MS,
      retryDelayMsMax: 10 * RETRY_MS,
      onDropped: ({ operation }) => operation !== undefined && server.gone(numberOf(operation)),
    });
    this.#queue.register((operation, { idempotencyKey, signal }) => this.#handle(operation, idempotencyKey, signal));
    this.#queue.setOnline(random.chance(0.7));
  }

  get count(): number {
    return this.#queue.count;
  }

  setOnline(isOnline: boolean): void {
    this.#queue.setOnline(isOnline);
  }

  enqueue(): void {
    const { node, random, server } = this.#deps;
    const key = `q${random.integer(1, DOCUMENTS)}`;
    const n = server.enqueued(node, key);
    try {
      this.#queue.enqueue({ type: 'put', collection: 'orders', key, data: { n } }).then(
        () => server.acknowledged(n),
        () => this.#isRunning && server.refused(n),
      );
    } catch (error) {
      server.refused(n);
      if (!isRefusal(error) && !isEntglDbError(error, 'QUEUE_FULL')) throw error;
    }
  }

  /** The process ends. */
  stop(): void {
    this.#isRunning = false;
    this.#queue.close().catch(() => {}); // the disk is gone with the process
  }

  async #handle(operation: QueuedOperation, idempotencyKey: string, signal: AbortSignal): Promise<void> {
    const { random, server, node } = this.#deps;
    const ms = random.chance(SLOW_CHANCE) ? 2 * OPERATION_MS_MAX : random.integer(0, HANDLER_MS_MAX);
    const fate = random.next();
    await new Promise<void>((resolve) => this.#deps.clock.setTimer(ms, resolve));
    if (!this.#isRunning || fate < FAILURE_CHANCE) throw new Error('the server cannot be reached');
    signal.throwIfAborted();
    const n = numberOf(operation);
    const newest = this.#newest.get(operation.key);
    if (newest !== undefined && newest > n && !server.hasDone(n))
      server.problems.push(`queue: ${node} does #${n} of ${operation.key} after #${newest}`);
    server.perform(n, idempotencyKey, node);
    // The server did it, and its answer is lost.
    if (fate < 2 * FAILURE_CHANCE) throw new Error('no answer from the server');
    this.#newest.set(operation.key, n);
  }
}

function numberOf({ data }: QueuedOperation): number {
  return (data as { n: number }).n;
}

function textOf(n: number, { key, node }: TrueOperation): string {
  return `#${n} of ${key} by ${node}`;
}
