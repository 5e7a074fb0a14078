/**
 * Goal: with a registered handler the queue empties itself whenever it can, and across restarts nothing is lost or done twice.
 * Method: as in offline-queue.test.ts; crashes at random moments, handlers that fail before or after they took effect.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { settle } from '../test-settle.ts';
import { OfflineQueue, type OperationHandler, type QueuedOperation } from './index.ts';
import { put, recorder, SEED, setUp } from './test-queue.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

test('a registered handler flushes when the node comes online, and when something is queued while online', async () => {
  const { queue } = setUp();
  queue.enqueue(put('a', 1));
  const { done, handler } = recorder();
  const unregister = queue.register(handler);
  await settle();
  assert.deepEqual(done, []);
  queue.setOnline(true);
  await settle();
  assert.equal(done.length, 1);
  queue.enqueue(put('b', 1));
  await settle();
  assert.equal(done.length, 2);
  unregister();
  queue.enqueue(put('c', 1));
  await settle();
  assert.deepEqual([done.length, queue.count], [2, 1]);
});

test('after a failure the registered handler is retried with growing pauses, or immediately on request', async () => {
  const { clock, queue } = setUp({ retryDelayMs: 1000, retryDelayMsMax: 8000 });
  const broken = new Set(['a']);
  const { done, handler } = recorder(broken);
  queue.register(handler);
  queue.setOnline(true);
  queue.enqueue(put('a', 1));
  await settle();
  const ceilings = [1000, 2000, 4000, 8000, 8000];
  for (const [i, ceiling] of ceilings.entries()) {
    assert.equal(queue.peek()[0]?.attempts, i + 1);
    const pause = clock.nextTimerAt()! - clock.monotonic();
    assert.ok(pause <= ceiling, `pause ${pause} after ${i + 1} failures, seed ${SEED}`);
    clock.advance(pause);
    await settle();
  }
  broken.clear();
  queue.retry();
  await settle();
  assert.deepEqual([done.length, queue.count, clock.nextTimerAt()], [1, 0, undefined]);
});

test('what is queued after a failed operation was removed does not wait for ever', async () => {
  const { clock, queue } = setUp({ retryDelayMs: 1000 });
  const { done, handler } = recorder(new Set(['a']));
  queue.register(handler);
  queue.setOnline(true);
  queue.enqueue(put('a', 1));
  await settle();
  assert.equal(await queue.clear(), 1);
  clock.advance(1000);
  queue.enqueue(put('b', 1));
  await settle();
  assert.deepEqual([done.length, queue.count], [1, 0], `seed ${SEED}`);
});

test('going offline stops the flush without counting a failed attempt, and coming back restarts it', async () => {
  const { clock, queue } = setUp();
  let calls = 0;
  queue.register((_, { signal }) => {
    calls++;
    if (calls > 1) return;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  queue.enqueue(put('a', 1));
  queue.setOnline(true);
  await settle();
  queue.setOnline(false);
  queue.setOnline(true);
  await settle();
  assert.deepEqual([calls, queue.count, clock.nextTimerAt()], [2, 0, undefined]);
});

test(`across restarts, ${2000 * SCALE} operations take effect once each, in order for each document`, async () => {
  const random = createSeededRandom(SEED);
  const total = 2000 * SCALE;
  let { clock, store, queue } = setUp({ maxSize: total }, random);
  const effects = new Map<string, QueuedOperation>();
  const lastByDocument = new Map<string, number>();
  let queued = 0;
  const handler: OperationHandler = async (operation, { idempotencyKey }) => {
    if (random.chance(0.1)) throw new Error('refused');
    if (effects.has(idempotencyKey)) return;
    effects.set(idempotencyKey, operation);
    const n = operation.data?.n as number;
    assert.ok(n > (lastByDocument.get(operation.key) ?? -1), `order of ${operation.key}, seed ${SEED}`);
    lastByDocument.set(operation.key, n);
    if (random.chance(0.05)) throw new Error('done, but the answer got lost');
  };
  while (queued < total || queue.count > 0) {
    for (let i = random.integer(0, 100); i > 0 && queued < total; i--) {
      await queue.enqueue(put(`k${random.integer(0, 40)}`, queued));
      queued++;
    }
    const stop = new AbortController();
    const steps = random.integer(0, 2000);
    const flushing = queue.flush(handler, { signal: stop.signal }).catch(() => {});
    for (let i = 0; i < steps; i++) await Promise.resolve();
    if (random.chance(0.5)) await flushing;
    else {
      store = store.crash();
      stop.abort(new Error('power cut'));
      const next = openMemoryReplica({ clock, random, store });
      queue = new OfflineQueue({ keeper: next.replica, clock, random, maxSize: total, soon: queueMicrotask });
    }
  }
  assert.equal(effects.size, total, `seed ${SEED}`);
});
