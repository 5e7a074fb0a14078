/**
 * Goal: writes share commits and syncs, an acknowledged write is durable, and every failure reaches exactly the writes that
 * it concerns.
 * Method: the memory store with a sync that the test completes or fails; commits are counted through the replica.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import { createMemoryStore, type MemoryStore, type StoreBatch } from '../store/index.ts';
import { createManualClock } from '../testing/index.ts';
import { applyRemote, collect, openOn, turn } from './test-database.ts';

/** A disk whose syncs wait until the test completes them. */
function createHeldDisk(): { store: MemoryStore; syncs: PromiseWithResolvers<void>[] } {
  const syncs: PromiseWithResolvers<void>[] = [];
  const sync = (): Promise<void> => {
    const held = Promise.withResolvers<void>();
    syncs.push(held);
    return held.promise;
  };
  return { store: createMemoryStore({ sync }), syncs };
}

function settled(promise: Promise<unknown>): { state: () => string } {
  let state = 'waiting';
  promise.then(
    () => {
      state = 'resolved';
    },
    (error: { reason?: string }) => {
      state = error.reason ?? String(error);
    },
  );
  return { state: () => state };
}

test('writes of one turn share one commit, and resolve only when it is durable', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store);
  let commits = 0;
  db.replica.onCommit(() => commits++);
  const users = db.collection('users');
  const writes = [1, 2, 3].map((n) => settled(users.put(`u${n}`, { n })));
  await turn();
  assert.equal(commits, 1);
  assert.deepEqual(
    writes.map((w) => w.state()),
    ['waiting', 'waiting', 'waiting'],
  );
  syncs.shift()!.resolve();
  await turn();
  assert.deepEqual(
    writes.map((w) => w.state()),
    ['resolved', 'resolved', 'resolved'],
  );
  const closing = db.close();
  await turn();
  syncs.shift()?.resolve();
  await closing;
});

test('writes made while the disk is busy share the next commit and sync', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store);
  let commits = 0;
  db.replica.onCommit(() => commits++);
  const users = db.collection('users');
  const first = settled(users.put('first', {}));
  await turn();
  const later: { state: () => string }[] = [];
  for (let n = 0; n < 5; n++) {
    later.push(settled(users.put(`later-${n}`, {})));
    await turn();
  }
  assert.equal(commits, 1, 'a commit of its own would not make them durable any sooner');
  syncs.shift()!.resolve();
  await turn();
  assert.equal(first.state(), 'resolved');
  assert.ok(later.every((w) => w.state() === 'waiting'));
  assert.equal(commits, 2);
  syncs.shift()!.resolve();
  await turn();
  assert.ok(later.every((w) => w.state() === 'resolved'));
});

test('a full batch is committed immediately, so that a loop without an await does not pile up texts', () => {
  const { store } = createHeldDisk();
  const { db } = openOn(store, { limits: { ...LIMITS, commitWritesMax: 10, commitBytesMax: 300 } });
  const users = db.collection('users');
  const sizes: number[] = [];
  db.replica.onCommit(({ changed }) => sizes.push(changed.length));
  for (let n = 0; n < 25; n++) void users.put(`k${n}`, {});
  assert.deepEqual(sizes, [10, 10]);
  for (let n = 0; n < 3; n++) void users.put(`large${n}`, { text: 'x'.repeat(200) });
  assert.deepEqual(sizes, [10, 10, 6, 1, 1].slice(0, sizes.length));
  assert.ok(sizes.length >= 4);
});

test('every read that begins after a put sees its document, awaited or not', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection<{ n: number }>('users');
  const waiting = [users.put('a', { n: 1 }), users.put('b', { n: 2 })];
  assert.deepEqual(await users.get('a'), { n: 1 });
  waiting.push(users.put('c', { n: 3 }));
  assert.equal(await users.count(), 3);
  waiting.push(users.put('d', { n: 4 }));
  assert.deepEqual(await collect(users.keys()), ['a', 'b', 'c', 'd']);
  waiting.push(users.put('e', { n: 5 }));
  assert.equal(db.collections()[0]!.documents, 5);
  await Promise.all(waiting);
});

test('a refused write fails alone; the others of its commit succeed', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection('users');
  await users.put('a', { n: 1 });
  const results = await Promise.allSettled([
    users.put('b', { n: 1 }),
    users.put('a', { n: 2 }, { ifVersion: null }),
    users.put('c', { n: 1 }, { ifVersion: null }),
  ]);
  assert.deepEqual(
    results.map((r) => (r.status === 'rejected' ? r.reason.reason : r.status)),
    ['fulfilled', 'CONCURRENCY_CONFLICT', 'fulfilled'],
  );
  assert.deepEqual(await users.get('a'), { n: 1 });
});

test('a commit that the disk refuses rejects exactly its writes and changes nothing', async () => {
  const store = createMemoryStore();
  const { db } = openOn(store);
  const users = db.collection('users');
  await users.put('before', {});
  store.failCommits(1, 'DISK_FULL');
  const results = await Promise.allSettled([users.put('x', {}), users.putMany([['y', {}]]), users.delete('before')]);
  assert.deepEqual(
    results.map((r) => r.status === 'rejected' && r.reason.reason),
    ['DISK_FULL', 'DISK_FULL', 'DISK_FULL'],
  );
  await users.put('after', {});
  assert.deepEqual(await collect(users.keys()), ['after', 'before']);
});

test('a damaged document fails only the writes to it, and is reported', async () => {
  const store = createMemoryStore();
  const damaged: string[] = [];
  const { db } = openOn(store, { onDamage: (collection, key) => damaged.push(`${collection}/${key}`) });
  const users = db.collection('users');
  await users.put('bad', {});
  store.damage('users' as never, 'bad' as never);
  db.cache.clear();
  const results = await Promise.allSettled([users.put('a', {}), users.put('bad', {}), users.put('b', {})]);
  assert.deepEqual(
    results.map((r) => (r.status === 'rejected' ? r.reason.reason : r.status)),
    ['fulfilled', 'DOCUMENT_CORRUPT', 'fulfilled'],
  );
  assert.deepEqual(damaged, ['users/bad']);
});

test('a failed sync rejects every write since the last durable point, and later writes continue from there', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store);
  const users = db.collection<{ n: number }>('users');
  const durable = users.put('durable', { n: 1 });
  await turn();
  syncs.shift()!.resolve();
  await durable;

  const inSync = settled(users.put('lost', { n: 2 }));
  await turn();
  const behind = settled(users.put('lost-too', { n: 3 }));
  assert.deepEqual(await users.get('lost-too'), { n: 3 }, 'a read commits what is pending');
  const pending = settled(users.put('pending', { n: 4 }));
  syncs.shift()!.reject(new Error('the disk is gone'));
  await turn();
  assert.deepEqual([inSync.state(), behind.state()], ['Error: the disk is gone', 'Error: the disk is gone']);
  assert.equal(pending.state(), 'waiting', 'it was not part of what was lost');
  assert.equal(await users.get('lost'), undefined, 'not from the cache either');
  assert.equal(await users.get('lost-too'), undefined);
  assert.deepEqual(
    db.collections().map(({ documents }) => documents),
    [2],
  );
  syncs.shift()!.resolve();
  await turn();
  assert.equal(pending.state(), 'resolved');
  assert.deepEqual(await collect(users.keys()), ['durable', 'pending']);
});

test('the version token of a write that a failed sync lost does not fit the next write, which gets its name', async () => {
  const store = createMemoryStore();
  const users = openOn(store).db.collection('users');
  store.failFlushes(1);
  const lost = users.put('a', { n: 1 });
  const { version } = (await users.getVersioned('a'))!;
  await assert.rejects(lost, { reason: 'IO_FAILED' });
  await users.put('a', { n: 2 });
  const stale = { ifVersion: version };
  await assert.rejects(users.put('a', { n: 3 }, stale), { reason: 'CONCURRENCY_CONFLICT' });
  assert.deepEqual(await users.get('a'), { n: 2 });
});

test('beyond writeQueueMax a write is refused immediately, and the queue drains again', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store, { limits: { ...LIMITS, writeQueueMax: 3 } });
  const users = db.collection('users');
  const accepted = [1, 2, 3].map((n) => users.put(`k${n}`, {}));
  await assert.rejects(users.put('k4', {}), { code: 'PERSISTENCE_ERROR', reason: 'WRITE_QUEUE_FULL' });
  assert.equal(db.waitingWrites, 3);
  await turn();
  syncs.shift()!.resolve();
  await Promise.all(accepted);
  assert.equal(db.waitingWrites, 0);
  const more = users.put('k4', {});
  await turn();
  syncs.shift()!.resolve();
  await more;
});

test('an abort after the call ends waiting but not the write; one before the call prevents the write', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store);
  const users = db.collection('users');
  const abort = new AbortController();
  const write = users.put('a', {}, { signal: abort.signal });
  await turn();
  abort.abort(new Error('no time'));
  await assert.rejects(write, /no time/);
  await assert.rejects(users.put('b', {}, { signal: abort.signal }), /no time/);
  syncs.shift()!.resolve();
  await turn();
  assert.deepEqual(await collect(users.keys()), ['a']);
});

test('the failure of an aborted write is not an unhandled rejection', async () => {
  const { store, syncs } = createHeldDisk();
  const { db } = openOn(store);
  const abort = new AbortController();
  const write = db.collection('users').put('a', {}, { signal: abort.signal });
  await turn();
  abort.abort(new Error('no time'));
  await assert.rejects(write, /no time/);
  syncs.shift()!.reject(new Error('the disk is gone'));
  // node:test fails the test on an unhandled rejection.
  await turn();
});

test('a resolver that uses the database changes nothing and breaks nothing', async () => {
  const store = createMemoryStore();
  const asked: unknown[] = [];
  const { db } = openOn(store, {
    resolverOf: () => ({
      name: 'nosy',
      revision: 1,
      resolve: (siblings) => {
        void db.collection('users').put('from-resolver', {});
        asked.push(db.collections().length);
        return siblings.at(-1)!.value!;
      },
    }),
  });
  const users = db.collection('users');
  await users.put('doc', { from: 'here' });
  applyRemote(db, 'users', 'doc', '{"from":"there"}');
  assert.deepEqual(asked, [1]);
  await turn();
  assert.deepEqual(await users.get('from-resolver'), {});
  assert.ok(await users.get('doc'));
});

test('a throwing commit listener or damage receiver does not change the outcome of writes and reads', async () => {
  const store = createMemoryStore();
  const { db } = openOn(store, {
    onDamage: () => {
      throw new Error('mine');
    },
  });
  db.replica.onCommit(() => {
    throw new Error('mine too');
  });
  const users = db.collection('users');
  await users.put('a', {});
  store.damage('users' as never, 'a' as never);
  db.cache.clear();
  await assert.rejects(users.get('a'), { reason: 'DOCUMENT_CORRUPT' });
  await assert.rejects(users.put('a', {}), { reason: 'DOCUMENT_CORRUPT' });
});

test('awaited writes let timers and sockets have their turn, even if a flush waits for nothing', async () => {
  const store = createMemoryStore();
  // A commit of this store takes 5 ms.
  const clock = createManualClock();
  const commit = store.commit.bind(store);
  const slow = {
    supports: { ...store.supports, isFlushImmediate: true },
    commit: (batch: StoreBatch): void => {
      commit(batch);
      clock.advance(5);
    },
  };
  const { db } = openOn(Object.assign(store, slow), { clock });
  const users = db.collection('users');
  const turns = await turnsDuring(async () => {
    for (let n = 0; n < 100; n++) await users.put('u', { n });
  });
  assert.ok(turns >= 15, `${turns} turns of the event loop`);
  await db.close();
});

test('awaited reads let timers and sockets have their turn, also from the cache and within a transaction', async () => {
  const { db, clock } = openOn(createMemoryStore());
  const users = db.collection('users');
  await users.put('u', { n: 1 });
  const steps: Readonly<Record<string, (collection: Pick<typeof users, 'get' | 'require' | 'find'>) => unknown>> = {
    get: (collection) => collection.get('u'),
    require: (collection) => collection.require('u'),
    find: (collection) => collection.find({ n: 1 }),
  };
  for (const [name, step] of Object.entries(steps))
    for (const isWithin of [false, true]) {
      const loop = async (collection: Pick<typeof users, 'get' | 'require' | 'find'>): Promise<void> => {
        for (let n = 0; n < 1000; n++) {
          clock.advance(1);
          await step(collection);
        }
      };
      const turns = await turnsDuring(() =>
        isWithin ? db.transaction((tx) => loop(tx.collection('users'))) : loop(users),
      );
      assert.ok(turns >= 10, `${name}, ${isWithin ? 'within' : 'without'} a transaction: ${turns} turns`);
    }
  await db.close();
});

/** Number of turns of the event loop during `work`. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}
