/**
 * Goal: a queued operation takes effect once, in order for its document, whatever fails in between; or somebody is told why not.
 * Method: the real engine on a memory store that can crash and refuse, a manual clock, handlers that throw, hang and count.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEntglDbError, type TimeoutError } from '../../core/errors/index.ts';
import { openMemoryReplica } from '../../testing/index.ts';
import { settle } from '../test-settle.ts';
import { type DroppedOperation, OfflineQueue, type OperationHandler } from './index.ts';
import { put, recorder, setUp } from './test-queue.ts';

test('a flush puts and deletes in the order of queueing, and counts', async () => {
  const { queue } = setUp();
  const user = { n: 1, deep: { list: [1, 2] } };
  queue.enqueue({ type: 'put', collection: 'users', key: 'user1', data: user });
  user.deep.list.push(3);
  await queue.enqueue({ type: 'delete', collection: 'users', key: 'user2' });
  assert.equal(queue.count, 2);
  const { done, handler } = recorder();
  assert.deepEqual(await queue.flush(handler), { successful: 2, failed: 0, waiting: 0 });
  assert.deepEqual(done, ['put user1 {"n":1,"deep":{"list":[1,2]}}', 'delete user2 undefined']);
  assert.equal(queue.count, 0);
});

test('a full queue throws immediately, queues nothing, and warns once until there was room again', async () => {
  const { queue, lines } = setUp({ maxSize: 2 });
  queue.enqueue(put('a', 1));
  queue.enqueue(put('b', 1));
  for (let i = 0; i < 3; i++) {
    assert.throws(
      () => queue.enqueue(put('c', 1)),
      (error) => isEntglDbError(error, 'QUEUE_FULL') && error.code === 'PERSISTENCE_ERROR',
    );
  }
  assert.deepEqual(lines, [['warn', 'the offline queue is full']]);
  await queue.flush(recorder().handler);
  queue.enqueue(put('a', 2));
  queue.enqueue(put('b', 2));
  assert.throws(() => queue.enqueue(put('c', 2)), { reason: 'QUEUE_FULL' });
  assert.equal(lines.length, 2);
});

test('with overflow drop-oldest, a full queue drops the oldest operation that is not under way, and reports it', async () => {
  const dropped: DroppedOperation[] = [];
  const { queue, lines } = setUp({ maxSize: 2, overflow: 'drop-oldest', onDropped: (one) => dropped.push(one) });
  const heard: number[] = [];
  const leave = queue.onDropped(() => {
    throw new Error('of no concern to the others');
  });
  queue.onDropped(({ id }) => heard.push(id));
  queue.enqueue(put('a', 1));
  queue.enqueue(put('b', 1));
  const seen: string[] = [];
  await queue.flush((operation) => {
    if (seen.push(operation.key) === 1) queue.enqueue(put('c', 1));
  });
  assert.deepEqual(seen, ['a'], 'b was dropped while a was under way; c came after the flush began');
  assert.deepEqual(
    dropped.map(({ id, why, operation }) => [id, why, operation?.key, operation?.data]),
    [[2, 'overflow', 'b', { n: 1 }]],
  );
  leave();
  assert.deepEqual(heard, [2]);
  assert.deepEqual(lines, [
    ['warn', 'a queued operation was dropped: queue full'],
    ['error', 'a listener for dropped operations threw'],
  ]);
  assert.deepEqual(
    queue.peek(5).map(({ key }) => key),
    ['c'],
  );
});

test('an invalid operation is refused when it is queued, not when it is flushed', () => {
  const { queue } = setUp();
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assert.throws(() => queue.enqueue({ type: 'put', collection: 'c', key: 'k', data: cyclic }), {
    reason: 'INVALID_DOCUMENT',
  });
  assert.throws(() => queue.enqueue({ type: 'put', collection: 'c', key: 'k' }), { reason: 'INVALID_DOCUMENT' });
  assert.throws(() => queue.enqueue({ type: 'put', collection: '', key: 'k', data: {} }), { reason: 'INVALID_NAME' });
  assert.throws(() => queue.enqueue({ type: 'merge' as 'put', collection: 'c', key: 'k', data: {} }), TypeError);
  assert.equal(queue.count, 0);
  const off = setUp({ isEnabled: false });
  assert.throws(() => off.queue.enqueue(put('a', 1)), { reason: 'QUEUE_DISABLED' });
  assert.throws(() => setUp({ maxSize: 0 }), RangeError);
});

test('an awaited operation survives a crash, an unawaited one survives it after the next durable commit', async () => {
  const { clock, store, queue, random } = setUp();
  await queue.enqueue(put('a', 1));
  queue.enqueue(put('lost', 1));
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  const again = new OfflineQueue({ keeper: next.replica, clock, random });
  assert.deepEqual(
    again.peek(9).map(({ key, attempts, lastError }) => [key, attempts, lastError]),
    [['a', 0, undefined]],
  );
});

test('when the disk cannot keep it, an awaited operation rejects, an unawaited one is logged, and neither is counted', async () => {
  const { queue, store, lines } = setUp();
  await queue.enqueue(put('kept', 1));
  store.failFlushes(1);
  const awaited = queue.enqueue(put('a', 1));
  queue.enqueue(put('b', 1));
  await assert.rejects(awaited, { reason: 'IO_FAILED' });
  await settle();
  assert.equal(queue.count, 1);
  assert.equal(lines.filter(([level]) => level === 'error').length, 2);
  assert.equal(await queue.enqueue(put('c', 1)), 4, 'ids of lost operations are not given out again');
  store.failCommits(1);
  assert.throws(() => queue.enqueue(put('d', 1)), { reason: 'DISK_FULL' });
  assert.equal(queue.count, 2);
});

test('an operation that the disk loses is never done, and its program is told', async () => {
  const { queue, store } = setUp();
  const { done, handler } = recorder();
  store.failFlushes(1);
  const lost = queue.enqueue(put('lost', 1));
  const flushing = queue.flush(handler);
  await assert.rejects(lost, { reason: 'IO_FAILED' });
  await assert.rejects(flushing, { reason: 'IO_FAILED' });
  await queue.enqueue(put('next', 1));
  assert.deepEqual(await queue.flush(handler), { successful: 1, failed: 0, waiting: 0 });
  assert.deepEqual(done, ['put next {"n":1}']);
});

test('a failed operation stays with its error and attempts, and holds up only its own document', async () => {
  const { clock, queue } = setUp();
  for (const key of ['a', 'bad', 'b', 'bad', 'c']) queue.enqueue(put(key, queue.count));
  const broken = new Set(['bad']);
  const { done, handler } = recorder(broken);
  assert.deepEqual(await queue.flush(handler), { successful: 3, failed: 1, waiting: 1 });
  assert.deepEqual(await queue.flush(handler), { successful: 0, failed: 1, waiting: 1 });
  const held = queue.peek(9);
  assert.deepEqual(
    held.map(({ key, attempts, lastError }) => [key, attempts, lastError]),
    [
      ['bad', 2, { message: 'no way to bad', at: clock.now() }],
      ['bad', 0, undefined],
    ],
  );
  broken.clear();
  assert.deepEqual(await queue.flush(handler), { successful: 2, failed: 0, waiting: 0 });
  assert.deepEqual(done.slice(-2), ['put bad {"n":1}', 'put bad {"n":3}']);
});

test('the handler gets attempt and idempotency key, and the key stays the same over attempts and restarts', async () => {
  const { clock, store, queue, random } = setUp();
  queue.enqueue(put('a', 1));
  const seen: [number, string][] = [];
  const failing: OperationHandler = (operation, { attempt, idempotencyKey }) => {
    seen.push([attempt, idempotencyKey]);
    (operation.data as Record<string, unknown>).n = 'spoilt';
    throw Object.assign(new Error('x'.repeat(2000)), { code: 'ECONNREFUSED' });
  };
  await queue.flush(failing);
  await queue.flush(failing);
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  const again = new OfflineQueue({ keeper: next.replica, clock, random, soon: queueMicrotask });
  assert.equal(again.peek()[0]?.lastError?.message.length, 500);
  assert.equal(again.peek()[0]?.lastError?.code, 'ECONNREFUSED');
  await again.flush((operation, { attempt, idempotencyKey }) => {
    seen.push([attempt, idempotencyKey]);
    assert.deepEqual(operation.data, { n: 1 });
  });
  assert.match(seen[0]![1], /^[0-9a-f]{32}$/);
  assert.deepEqual(seen, [
    [1, seen[0]![1]],
    [2, seen[0]![1]],
    [3, seen[0]![1]],
  ]);
});

test('an operation queued during a flush waits for the next one, after an older failure on its document', async () => {
  const { queue } = setUp();
  queue.enqueue(put('a', 1));
  const result = await queue.flush(() => {
    queue.enqueue(put('a', 2));
    throw new Error('later');
  });
  assert.deepEqual(result, { successful: 0, failed: 1, waiting: 0 });
  const { done, handler } = recorder();
  await queue.flush(handler);
  assert.deepEqual(done, ['put a {"n":1}', 'put a {"n":2}']);
});

test('concurrent flushes share one run and its result', async () => {
  const { queue } = setUp();
  for (let i = 0; i < 5; i++) queue.enqueue(put(`k${i}`, i));
  const first = recorder();
  const second = recorder();
  const [a, b] = await Promise.all([queue.flush(first.handler), queue.flush(second.handler)]);
  assert.deepEqual([a, b, first.done.length, second.done.length], [{ successful: 5, failed: 0, waiting: 0 }, a, 5, 0]);
});

test('an abort keeps every operation, counts no attempt, and aborts the handler', async () => {
  const { queue } = setUp();
  queue.enqueue(put('a', 1));
  queue.enqueue(put('b', 1));
  const stop = new AbortController();
  let inner: AbortSignal | undefined;
  const hanging: OperationHandler = (operation, { signal }) => {
    inner = signal;
    return operation.key === 'b' ? new Promise(() => {}) : undefined;
  };
  const flushing = queue.flush(hanging, { signal: stop.signal });
  await settle();
  stop.abort(new Error('enough'));
  await assert.rejects(flushing, /enough/);
  assert.equal(inner?.aborted, true);
  assert.deepEqual(
    queue.peek(9).map(({ key, attempts }) => [key, attempts]),
    [['b', 0]],
  );
  await assert.rejects(queue.flush(hanging, { signal: stop.signal }), /enough/);
  assert.deepEqual(await queue.flush(recorder().handler), { successful: 1, failed: 0, waiting: 0 });
});

test('a shared flush continues while somebody still waits for it', async () => {
  const { queue } = setUp();
  queue.enqueue(put('a', 1));
  const gate = Promise.withResolvers<void>();
  const stop = new AbortController();
  const leaving = queue.flush(() => gate.promise, { signal: stop.signal });
  const staying = queue.flush(() => assert.fail('not the second handler'));
  await settle();
  stop.abort(new Error('bye'));
  await assert.rejects(leaving, /bye/);
  gate.resolve();
  assert.deepEqual(await staying, { successful: 1, failed: 0, waiting: 0 });
});

test('a flush that nobody waits for any more ends before the next one begins', async () => {
  const { queue } = setUp();
  queue.enqueue(put('a', 1));
  const stop = new AbortController();
  const left = queue.flush(() => new Promise(() => {}), { signal: stop.signal });
  await settle();
  stop.abort(new Error('bye'));
  const { done, handler } = recorder();
  assert.deepEqual(await queue.flush(handler), { successful: 1, failed: 0, waiting: 0 });
  assert.equal(done.length, 1);
  await assert.rejects(left, /bye/);
});

test('a hanging handler fails its operation when its time is over, and the others continue', async () => {
  const { clock, queue } = setUp({ operationMsMax: 100 });
  queue.enqueue(put('a', 1));
  queue.enqueue(put('b', 1));
  const flushing = queue.flush((operation) => (operation.key === 'a' ? new Promise(() => {}) : undefined));
  await settle();
  clock.advance(100);
  assert.deepEqual(await flushing, { successful: 1, failed: 1, waiting: 0 });
  assert.equal(queue.peek()[0]?.lastError?.code, 'TIMED_OUT' satisfies TimeoutError['reason']);
  assert.equal(clock.nextTimerAt(), undefined, 'no timer is left behind');
});

test('an unreadable operation is removed and reported, and the others are done', async () => {
  const dropped: DroppedOperation[] = [];
  const { replica, queue, lines } = setUp({ onDropped: (one) => dropped.push(one) });
  for (const key of ['a', 'b', 'c']) queue.enqueue(put(key, 1));
  replica.commitEntries((draft) => draft.entry({ space: 'queue', id: 2, data: '{"type":"put",' }));
  const { done, handler } = recorder();
  await queue.flush(handler);
  assert.equal(done.length, 2);
  assert.deepEqual(dropped, [{ id: 2, why: 'damaged', operation: undefined }]);
  assert.deepEqual([queue.count, lines[0]?.[0]], [0, 'fatal']);
});

test('operations can be inspected, removed one by one, and cleared', async () => {
  const { queue } = setUp({ maxSize: 2000 });
  for (let i = 0; i < 1200; i++) queue.enqueue(put(`k${i}`, i));
  const [first] = queue.peek();
  (first as { data: Record<string, unknown> }).data.n = 'changed';
  assert.deepEqual(
    queue.peek(3).map(({ data }) => data),
    [{ n: 0 }, { n: 1 }, { n: 2 }],
  );
  assert.equal(await queue.remove(2), true);
  assert.equal(await queue.remove(2), false);
  assert.equal(queue.count, 1199);
  const clearing = queue.clear();
  const kept = queue.enqueue(put('new', 1));
  assert.equal(await clearing, 1199);
  assert.equal(await kept, 1201);
  assert.deepEqual(
    queue.peek(9).map(({ key }) => key),
    ['new'],
  );
});

test('clearing or removing during a flush never brings an operation back', async () => {
  const { queue } = setUp();
  for (const key of ['a', 'b', 'c']) queue.enqueue(put(key, 1));
  const seen: string[] = [];
  const result = await queue.flush(async (operation) => {
    seen.push(operation.key);
    await queue.clear();
    throw new Error('and it failed, too');
  });
  assert.deepEqual([result, seen, queue.count], [{ successful: 0, failed: 1, waiting: 0 }, ['a'], 0]);
});

test('after close every call throws, the flush under way has ended, and the queue is durable', async () => {
  const { clock, store, queue, random } = setUp();
  queue.enqueue(put('a', 1));
  const flushing = queue.flush(() => new Promise(() => {}));
  const caught = assert.rejects(flushing, { reason: 'DATABASE_CLOSED' });
  await settle();
  await queue.close();
  await queue.close();
  await caught;
  assert.throws(() => queue.enqueue(put('a', 1)), { reason: 'DATABASE_CLOSED' });
  await assert.rejects(
    queue.flush(() => {}),
    { reason: 'DATABASE_CLOSED' },
  );
  queue.setOnline(true);
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  assert.equal(new OfflineQueue({ keeper: next.replica, clock, random }).count, 1);
});

test('a handler that flushes is told at once that it cannot, and may flush once it has ended', async () => {
  const { clock, queue } = setUp();
  queue.enqueue(put('a', 1));
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let later: Promise<unknown> | undefined;
  const result = queue.flush(async () => {
    later = ended.then(() => queue.flush(recorder().handler));
    queue.enqueue(put('b', 1));
    await queue.flush(recorder().handler);
  });
  await settle();
  clock.advance(30_000);
  assert.deepEqual(await result, { successful: 0, failed: 1, waiting: 0 });
  assert.match(queue.peek()[0]?.lastError?.message ?? '', /a handler cannot flush the offline queue/);
  assert.equal(clock.nextTimerAt(), undefined);
  end();
  assert.deepEqual(await later, { successful: 2, failed: 0, waiting: 0 });
});
