/**
 * Goal: live queries behave as docs/guide/live.md says: when they run, what they show and when, how they end, and what they
 * refuse. Method: single claims on a database with a memory store; some tests control when it syncs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { applyRemote, collect, openOn, openTestDatabase, testOnStores, turn } from '../test-database.ts';
import type { LiveChange, LiveEntry, LiveUpdate } from './index.ts';

interface Doc {
  readonly n: number;
}

const ignore = (): void => {};

function iteratorOf<Update>(live: AsyncIterable<Update>): AsyncIterator<Update, undefined> {
  return live[Symbol.asyncIterator]() as AsyncIterator<Update, undefined>;
}

async function nextOf<Update>(iterator: AsyncIterator<Update, undefined>): Promise<Update> {
  const { value } = await iterator.next();
  assert.ok(value !== undefined, 'the iterator goes on');
  return value;
}

function keysOf(entries: readonly LiveEntry<Doc>[] | undefined): string | undefined {
  return entries?.map(({ key }) => key).join(' ');
}

function stepsOf({ changes }: LiveUpdate<Doc>): string[] {
  const textOf = ({ kind, key, index }: LiveChange<Doc>): string => `${kind} ${key} ${index}`;
  return changes.map(textOf);
}

testOnStores('an iterator yields the whole result first, then the differences', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const docs = opened.db.collection<Doc>('docs');
  await docs.putMany([1, 5, 3, 9].map((n) => [`k${n}`, { n }] as const));
  const updates = iteratorOf(docs.live({ n: { $lt: 9 } }, { sort: { n: -1 }, limit: 2 }));
  const first = await nextOf(updates);
  assert.equal(keysOf(first.results), 'k5 k3');
  assert.deepEqual(stepsOf(first), ['added k5 0', 'added k3 1']);
  await docs.put('k4', { n: 4 });
  assert.deepEqual(stepsOf(await nextOf(updates)), ['removed k3 1', 'added k4 1']);
  applyRemote(opened.db, 'docs', 'remote', '{"n":8}');
  await opened.db.flush();
  assert.deepEqual(stepsOf(await nextOf(updates)), ['removed k4 1', 'added remote 0']);
  await docs.deleteMany(['remote', 'k5']);
  assert.equal(keysOf((await nextOf(updates)).results), 'k4 k3');
});

test('it runs from the first consumer to the last, and is current again for a later one', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const docs = db.collection<Doc>('docs');
  const live = docs.live();
  assert.equal(live.getSnapshot(), undefined);
  assert.equal(db.live.running, 0);
  const leave = live.subscribe(ignore);
  assert.deepEqual(live.getSnapshot(), []);
  const leaveToo = live.subscribe(ignore);
  for await (const update of live) {
    assert.deepEqual(update.results, []);
    break;
  }
  leave();
  leave();
  assert.equal(db.live.running, 1);
  await docs.put('a', { n: 1 });
  assert.equal(keysOf(live.getSnapshot()), 'a');
  leaveToo();
  assert.equal(db.live.running, 0);
  await docs.put('b', { n: 1 });
  assert.equal(keysOf(live.getSnapshot()), 'a', 'the last snapshot stays');
  live.subscribe(ignore);
  assert.equal(keysOf(live.getSnapshot()), 'a b');
});

test('the snapshot is the same object until it changes, and current when a write resolves', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection<Doc>('docs');
  const live = docs.live({ n: 1 });
  let calls = 0;
  live.subscribe(() => calls++);
  await turn();
  assert.equal(calls, 1, 'for the first result');
  await docs.put('a', { n: 1 });
  const before = live.getSnapshot();
  assert.equal(keysOf(before), 'a');
  await docs.put('other', { n: 2 });
  await docs.put('a', { n: 1 });
  assert.equal(live.getSnapshot(), before);
  await turn();
  assert.equal(calls, 2);
  await docs.putMany([1, 2, 3].map((i) => [`b${i}`, { n: 1 }] as const));
  await turn();
  assert.equal(calls, 3, 'once for a transaction');
  const entry = live.getSnapshot()![0]!;
  assert.throws(() => Object.assign(entry.value, { n: 2 }), TypeError);
  assert.throws(() => (live.getSnapshot() as unknown[]).pop(), TypeError);
});

test('it shows neither what is not durable yet nor what was lost, and steady writing does not delay it forever', async () => {
  const syncs: PromiseWithResolvers<void>[] = [];
  const store = createMemoryStore({
    sync: () => {
      const held = Promise.withResolvers<void>();
      syncs.push(held);
      return held.promise;
    },
  });
  const { db } = openOn(store);
  const docs = db.collection<Doc>('docs');
  const early = docs.live();
  early.subscribe(ignore);
  const first = docs.put('a', { n: 1 });
  await turn();
  const late = docs.live();
  late.subscribe(ignore);
  const second = docs.put('b', { n: 2 });
  assert.equal(keysOf(await docs.live().getSnapshot()), undefined);
  const latest = docs.live();
  latest.subscribe(ignore);
  assert.deepEqual(
    [early, late, latest].map((live) => keysOf(live.getSnapshot())),
    ['', undefined, undefined],
  );
  syncs.shift()!.resolve();
  await first;
  assert.deepEqual(
    [early, late, latest].map((live) => keysOf(live.getSnapshot())),
    ['a', 'a', undefined],
  );
  syncs.shift()!.reject(new Error('the disk is gone'));
  await assert.rejects(second, /gone/);
  await turn();
  assert.deepEqual(
    [early, late, latest].map((live) => keysOf(live.getSnapshot())),
    ['a', 'a', 'a'],
  );
  const third = docs.put('c', { n: 3 });
  await turn();
  syncs.shift()!.resolve();
  await third;
  assert.deepEqual(
    [early, late, latest].map((live) => keysOf(live.getSnapshot())),
    ['a c', 'a c', 'a c'],
  );
});

test('a slow consumer gets one update to the newest result, or none if the result is what it was', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection<Doc>('docs');
  const updates = iteratorOf(docs.live());
  await nextOf(updates);
  for (let n = 0; n < 100; n++) await docs.put(`k${n % 3}`, { n });
  assert.deepEqual(stepsOf(await nextOf(updates)), ['added k0 0', 'added k1 1', 'added k2 2']);
  await docs.put('k0', { n: 0 });
  await docs.put('k0', { n: 99 });
  const pending = updates.next();
  assert.equal(await Promise.race([pending, turn()]), undefined);
  await docs.delete('k1');
  assert.deepEqual(stepsOf((await pending).value!), ['removed k1 1']);
});

test('the first update is the difference from the option `previous`', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection<Doc>('docs');
  await docs.putMany(['a', 'b', 'c'].map((key) => [key, { n: 1 }] as const));
  const kept: LiveEntry<Doc>[] = JSON.parse(JSON.stringify((await nextOf(iteratorOf(docs.live()))).results));
  await docs.delete('a');
  await docs.put('b', { n: 2 });
  const update = await nextOf(iteratorOf(docs.live({}, { previous: kept })));
  assert.deepEqual(stepsOf(update), ['removed a 0', 'changed b 0']);
  assert.equal(keysOf(update.results), 'b c');
});

testOnStores('liveCount and liveDocument stay current', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const { db, clock } = opened;
  const docs = db.collection<Doc>('docs');
  await docs.put('a', { n: 1 });
  const all = docs.liveCount();
  const some = docs.liveCount({ n: { $gt: 1 } });
  const one = docs.liveDocument('a');
  for (const live of [all, some, one]) live.subscribe(ignore);
  assert.deepEqual(
    [all, some, one].map((live) => live.getSnapshot()),
    [1, 0, { n: 1 }],
  );
  await docs.putMany([
    ['a', { n: 2 }],
    ['b', { n: 3 }],
  ]);
  assert.deepEqual(
    [all, some, one].map((live) => live.getSnapshot()),
    [2, 2, { n: 2 }],
  );
  await docs.delete('a');
  clock.advance(1);
  db.replica.purge(0, 10);
  await db.flush();
  assert.deepEqual(
    [all, some, one].map((live) => live.getSnapshot()),
    [1, 1, null],
  );
  assert.deepEqual(await nextOf(iteratorOf(one)), null);
  assert.equal(await nextOf(iteratorOf(all)), 1);
});

test('a change that readers cannot see does not change the snapshot, even if the result is read again', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, liveBacklogMax: 3 } });
  const { db } = opened;
  const docs = db.collection<Doc>('docs');
  await docs.put('a', { n: 1 });
  const live = [docs.live({}, { sort: { n: 1 }, limit: 1 }), docs.liveDocument('a')];
  for (const each of live) each.subscribe(ignore);
  const before = live.map((each) => each.getSnapshot());
  await docs.put('a', { n: 1 });
  applyRemote(db, 'docs', 'a', '{"n":0}');
  await db.flush();
  await docs.putMany([2, 3, 4, 5].map((n) => [`k${n}`, { n }] as const));
  const after = live.map((each) => each.getSnapshot());
  assert.equal(
    db.replica.get('docs' as never, 'a' as never)?.versions.length,
    2,
    'the remote version is stored, but lost the conflict',
  );
  assert.ok(after.every((snapshot, i) => snapshot === before[i]));
});

test('a new consumer gets a change that is not durable yet as soon as it is', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection<Doc>('docs');
  const live = docs.live();
  live.subscribe(ignore)();
  // The work of opening the database is done, so nothing else flushes.
  for (let i = 0; i < 5; i++) await turn();
  applyRemote(opened.db, 'docs', 'a', '{"n":1}');
  assert.equal(keysOf((await nextOf(iteratorOf(live))).results), 'a', 'not the snapshot of the run before');
});

test('evicted documents leave the result', async () => {
  await using opened = await openTestDatabase(undefined, { isConfirmed: () => true });
  const docs = opened.db.collection<Doc>('docs');
  await docs.putMany(['a', 'b'].map((key) => [key, { n: 1 }] as const));
  const live = docs.live();
  const count = docs.liveCount();
  for (const each of [live, count]) each.subscribe(ignore);
  await opened.db.evict('docs');
  await opened.db.flush();
  assert.deepEqual([live.getSnapshot(), count.getSnapshot()], [[], 0]);
});

test('a damaged document ends a live query with an error, and a new consumer starts it again', async () => {
  const store = createMemoryStore();
  const errors: unknown[] = [];
  const logged: string[] = [];
  const logger: Logger = { ...silentLogger, error: (_, message) => void logged.push(message) };
  const { db } = openOn(store, { logger });
  const docs = db.collection<Doc>('docs');
  await docs.put('a', { n: 1 });
  store.damage('docs' as never, 'a' as never);
  db.cache.clear();
  const live = docs.live();
  const leave = live.subscribe(ignore, (error) => errors.push(error));
  await turn();
  assert.throws(() => live.getSnapshot(), { reason: 'DOCUMENT_CORRUPT' });
  assert.equal(errors.length, 1);
  assert.ok(logged.some((message) => /live query/.test(message)));
  await assert.rejects(nextOf(iteratorOf(live)), { reason: 'DOCUMENT_CORRUPT' });
  leave();
  assert.equal(db.live.running, 0);
  assert.equal(live.getSnapshot(), undefined);
  await docs.put('a', { n: 2 }).catch(ignore);
});

test('a result of too many characters ends with an error, and the query can run again when there are fewer', async () => {
  const limits = { ...LIMITS, liveResultCharactersMax: 1000 };
  await using opened = await openTestDatabase(undefined, { limits });
  const docs = opened.db.collection<{ text: string }>('docs');
  await docs.putMany(['a', 'b'].map((key) => [key, { text: 'x'.repeat(400) }] as const));
  const live = docs.live();
  const leave = live.subscribe(ignore, ignore);
  assert.equal(keysOf(live.getSnapshot() as never), 'a b');
  await docs.put('c', { text: 'x'.repeat(400) });
  assert.throws(() => live.getSnapshot(), {
    reason: 'LIVE_RESULT_TOO_LARGE',
    details: { liveResultCharactersMax: 1000 },
  });
  leave();
  await assert.rejects(nextOf(iteratorOf(docs.live() as never)), { reason: 'LIVE_RESULT_TOO_LARGE' });
  await docs.delete('b');
  const again = docs.live();
  again.subscribe(ignore);
  await docs.put('a', { text: 'short' });
  assert.equal(keysOf(again.getSnapshot() as never), 'a c');
});

test('a result of too many documents ends with an error, and too large a skip and limit are refused', async () => {
  const limits = { ...LIMITS, liveResultsMax: 3, liveCountKeysMax: 2 };
  await using opened = await openTestDatabase(undefined, { limits });
  const docs = opened.db.collection<Doc>('docs');
  const live = docs.live();
  const count = docs.liveCount({ n: 1 });
  for (const each of [live, count]) each.subscribe(ignore);
  const top = docs.live({}, { sort: { n: -1 }, limit: 3 });
  top.subscribe(ignore);
  await docs.putMany(['a', 'b', 'c'].map((key) => [key, { n: 2 }] as const));
  assert.equal(keysOf(live.getSnapshot()), 'a b c');
  await docs.put('d', { n: 1 });
  assert.throws(() => live.getSnapshot(), { reason: 'LIVE_RESULT_TOO_LARGE' });
  assert.equal(keysOf(top.getSnapshot()), 'a b c');
  await docs.putMany(['x', 'y'].map((key) => [key, { n: 1 }] as const));
  assert.throws(() => count.getSnapshot(), { reason: 'LIVE_RESULT_TOO_LARGE' });
  await assert.rejects(nextOf(iteratorOf(docs.live())), { reason: 'LIVE_RESULT_TOO_LARGE' });
  assert.throws(() => docs.live({}, { skip: 1, limit: 3 }), { reason: 'LIVE_RESULT_TOO_LARGE' });
  assert.throws(() => docs.live({ $no: 1 } as object), { reason: 'INVALID_FILTER' });
  assert.equal(opened.db.live.running, 1);
});

test('at most liveQueriesMax live queries run', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, liveQueriesMax: 2 } });
  const docs = opened.db.collection<Doc>('docs');
  const leave = [1, 2].map(() => docs.live().subscribe(ignore));
  await assert.rejects(nextOf(iteratorOf(docs.live())), { reason: 'LIVE_QUERIES_FULL' });
  leave[0]!();
  assert.deepEqual((await nextOf(iteratorOf(docs.live()))).results, []);
});

test('close, the signal and closing the database end a live query', async () => {
  const opened = await openTestDatabase();
  const { db } = opened;
  const docs = db.collection<Doc>('docs');
  let calls = 0;
  const live = docs.live();
  live.subscribe(() => calls++);
  const updates = iteratorOf(live);
  await nextOf(updates);
  await turn();
  const pending = updates.next();
  live.close();
  live.close();
  assert.equal((await pending).done, true);
  assert.deepEqual(live.getSnapshot(), []);
  await docs.put('a', { n: 1 });
  await turn();
  live.subscribe(ignore);
  assert.deepEqual(await collect(live), []);
  assert.equal(calls, 1);

  const abort = new AbortController();
  const aborted = docs.live({}, { signal: abort.signal });
  const waiting = iteratorOf(aborted);
  await nextOf(waiting);
  const rejected = waiting.next();
  abort.abort(new Error('no more'));
  await assert.rejects(rejected, /no more/);
  await assert.rejects(nextOf(iteratorOf(aborted)), /no more/);
  await assert.rejects(nextOf(iteratorOf(docs.live({}, { signal: abort.signal }))), /no more/);
  assert.equal(db.live.running, 0);

  const last = docs.live();
  const open = iteratorOf(last);
  await nextOf(open);
  const ended = open.next();
  await db.close();
  assert.equal((await ended).done, true);
  await assert.rejects(nextOf(iteratorOf(docs.live())), { reason: 'DATABASE_CLOSED' });
});

test('a listener that throws, writes, reads or unsubscribes does not affect other listeners', async () => {
  const logged: unknown[] = [];
  const logger: Logger = { ...silentLogger, error: (details) => void logged.push(details) };
  await using opened = await openTestDatabase(undefined, { logger });
  const docs = opened.db.collection<Doc>('docs');
  const live = docs.live();
  let heard = 0;
  live.subscribe(() => {
    throw new Error('mine');
  });
  const leave = live.subscribe(() => {
    leave();
    docs.put('from listener', { n: 2 }).catch(ignore);
    docs.live().subscribe(ignore);
  });
  live.subscribe(() => heard++);
  await docs.put('a', { n: 1 });
  await turn();
  await opened.db.flush();
  await turn();
  assert.equal(keysOf(live.getSnapshot()), 'a from listener');
  assert.equal(logged.length, heard);
  assert.ok(heard >= 2);
});
