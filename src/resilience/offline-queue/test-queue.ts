import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica, type SeededRandom } from '../../testing/index.ts';
import { OfflineQueue, type OfflineQueueOptions, type OperationHandler } from './index.ts';

export const SEED = 20260115;

/** A queue on the real engine and a memory store, with its log lines. */
export function setUp(options: OfflineQueueOptions = {}, random: SeededRandom = createSeededRandom(SEED)) {
  const clock = createManualClock();
  const { replica, store } = openMemoryReplica({ clock, random });
  const lines: [level: string, message: string][] = [];
  const logger = {
    ...silentLogger,
    warn: (_: object, message: string) => lines.push(['warn', message]),
    error: (_: object, message: string) => lines.push(['error', message]),
    fatal: (_: object, message: string) => lines.push(['fatal', message]),
  };
  const open = (keeper = replica) =>
    new OfflineQueue({ logger, ...options, keeper, clock, random, soon: queueMicrotask });
  return { clock, replica, store, lines, open, queue: open(), random };
}

export const put = (key: string, n: number) => ({ type: 'put', collection: 'users', key, data: { n } }) as const;

/** A handler that records what it was given, and fails for the keys in `broken`. */
export function recorder(broken: Set<string> = new Set()) {
  const done: string[] = [];
  const handler: OperationHandler = async (operation) => {
    if (broken.has(operation.key)) throw new Error(`no way to ${operation.key}`);
    done.push(`${operation.type} ${operation.key} ${JSON.stringify(operation.data)}`);
  };
  return { done, handler };
}
