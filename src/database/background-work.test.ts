/**
 * Goal: a database purges, resolves again and evicts by itself, in slices, and continues where it was interrupted.
 * Method: a manual clock; knowledge, ids and fingerprints show what peers would be told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Resolver } from '../core/merge/index.ts';
import { createMemoryStore } from '../store/index.ts';
import type { Change } from './api.ts';
import {
  applyRemote,
  collect,
  openOn,
  openTestDatabase,
  type TestDatabase,
  testOnStores,
  turn,
} from './test-database.ts';

const TIMES = { tombstoneRetentionMs: 3_600_000, purgeIntervalMs: 60_000, clockDriftMsMax: 60_000 };
const C = 'c' as CollectionName;

const newest: Resolver = { name: 'newest', revision: 1, resolve: (siblings) => siblings.at(-1)!.value! };
const oldest: Resolver = { name: 'oldest', revision: 1, resolve: (siblings) => siblings[0]!.value! };

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

function rowsOf({ db }: TestDatabase): number {
  return db.replica.store.documents(C, null, 10_000).length;
}

testOnStores('the timer purges tombstones after the retention, not before', async (disk) => {
  await using opened = await openTestDatabase(disk, { times: TIMES });
  const docs = opened.db.collection('c');
  await docs.putMany(Array.from({ length: 500 }, (_, n) => [`k${n}`, {}] as const));
  await docs.deleteMany(Array.from({ length: 450 }, (_, n) => `k${n}`));
  await turns(3);
  opened.clock.advance(TIMES.tombstoneRetentionMs - 60_000);
  await turns(20);
  assert.equal(rowsOf(opened), 500);
  for (let i = 0; i < 3; i++) {
    opened.clock.advance(60_001);
    await turns(20);
  }
  assert.equal(rowsOf(opened), 50, 'more than one slice');
  assert.equal(opened.db.replica.collection(C).purged.get(opened.db.replica.id), 950);
});

test('a failed pass is reported, and the next pass tries again', async () => {
  const store = createMemoryStore();
  const errors: object[] = [];
  const error = (fields: object): void => void errors.push(fields);
  const logger = { trace() {}, debug() {}, info() {}, warn() {}, error, fatal() {}, child: () => logger };
  const opened = openOn(store, { times: TIMES, logger });
  const docs = opened.db.collection('c');
  await docs.put('a', {});
  await docs.delete('a');
  await turns(3);
  opened.clock.advance(TIMES.tombstoneRetentionMs);
  await turns(3);
  store.failCommits(1);
  opened.clock.advance(60_000);
  await turns(3);
  assert.equal(errors.length, 1);
  assert.equal(rowsOf(opened), 1);
  opened.clock.advance(60_000);
  await turns(3);
  assert.equal(rowsOf(opened), 0);
});

testOnStores('after a change of the resolver, documents are resolved again in the background', async (disk) => {
  const first = await openTestDatabase(disk, { resolverOf: () => newest });
  const docs = first.db.collection<{ from: string }>('c');
  await docs.putMany(Array.from({ length: 450 }, (_, n) => [`k${n}`, { from: 'here' }] as const));
  for (let n = 0; n < 450; n += 3) applyRemote(first.db, 'c', `k${n}`, '{"from":"there"}', n + 1);
  assert.deepEqual(await docs.get('k0'), { from: 'here' }, 'the remote stamp is old');
  await first.db.close();

  const again = await openTestDatabase(disk, { resolverOf: () => oldest, seed: 2 });
  const docsAgain = again.db.collection<{ from: string }>('c');
  const { fingerprint } = again.db.collections()[0]!;
  const changes = docsAgain.watch()[Symbol.asyncIterator]() as AsyncIterator<Change<{ from: string }>, undefined>;
  const change = (await changes.next()).value!;
  assert.equal(change.kind === 'put' && change.value.from, 'there');
  await turns(30);
  assert.equal(await docsAgain.count({ from: 'there' }), 150);
  assert.equal(again.db.collections()[0]!.fingerprint, fingerprint, 'the versions are what they were');
  assert.equal(again.db.replica.collection(C).resolver, 'oldest@1');
  await again.db.close();

  await using third = await openTestDatabase(disk, { resolverOf: () => oldest, seed: 3 });
  const { pos } = third.db.replica;
  await turns(10);
  assert.equal(third.db.replica.pos, pos, 'nothing is left to do');
});

testOnStores('a narrowed collection is readable but frozen, and continues after being widened', async (disk) => {
  const voided: string[] = [];
  await using opened = await openTestDatabase(disk, { onSessionsVoid: (why) => voided.push(why) });
  const { db } = opened;
  const docs = db.collection('c');
  await docs.put('a', { n: 1 });
  const knowledge = db.replica.collection(C).knowledge;
  await db.narrow('c');
  await db.narrow('c');
  assert.deepEqual(voided, ['wants']);
  assert.deepEqual(await docs.get('a'), { n: 1 });
  assert.equal(db.collections()[0]!.wanted, false);
  for (const write of [docs.put('b', {}), docs.delete('a'), docs.putMany([['b', {}]]), docs.deleteMany(['a'])])
    await assert.rejects(write, { code: 'SYNC_ERROR', reason: 'COLLECTION_NOT_WANTED' });
  applyRemote(db, 'c', 'remote', '{}');
  assert.equal(await docs.get('remote'), undefined);
  assert.deepEqual(db.replica.collection(C).knowledge, knowledge);
  await db.widen('c');
  assert.deepEqual(voided, ['wants', 'wants']);
  await docs.put('b', {});
  assert.equal(await docs.count(), 2);
});

testOnStores(
  'evict removes the documents here, forgets knowledge, takes a new id, and reports deletions to watchers',
  async (disk) => {
    const voided: string[] = [];
    let isConfirmed = false;
    await using opened = await openTestDatabase(disk, {
      onSessionsVoid: (why) => voided.push(why),
      isConfirmed: () => isConfirmed,
    });
    const { db } = opened;
    const docs = db.collection('c');
    const kept = db.collection('kept');
    await kept.put('a', {});
    await docs.putMany(Array.from({ length: 1000 }, (_, n) => [`a${n}`, { n }] as const));
    await docs.putMany(Array.from({ length: 500 }, (_, n) => [`b${n}`, { n }] as const));
    await docs.delete('a0');
    const { id } = db.replica;
    await assert.rejects(db.evict('c'), { code: 'SYNC_ERROR', reason: 'EVICT_REFUSED' });
    assert.deepEqual([db.replica.id, await docs.count(), voided], [id, 1499, []]);

    isConfirmed = true;
    const heard: string[] = [];
    const watching = (async () => {
      for await (const change of docs.watch()) {
        if (change.kind === 'delete') heard.push(change.key);
        if (heard.length === 1499) break;
      }
    })();
    await turn();
    const evicting = db.evict('c');
    assert.notEqual(db.replica.id, id, 'before the first row goes');
    assert.equal(db.replica.collection(C).knowledge.size, 0);
    await evicting;
    await watching;
    assert.ok(!heard.includes('a0'), 'it was deleted before');
    assert.deepEqual(voided, ['identity']);
    assert.equal(rowsOf(opened), 0);
    const info = db.collections().find(({ name }) => name === 'c')!;
    assert.deepEqual(info, { name: 'c', documents: 0, wanted: false, fingerprint: '000000000000' });
    assert.equal(await kept.count(), 1);
    await assert.rejects(docs.put('x', {}), { reason: 'COLLECTION_NOT_WANTED' });
    await db.widen('c');
    await docs.put('x', {});
    await db.flush();
    assert.equal(db.replica.collection(C).knowledge.get(db.replica.id)?.seq, 1);
  },
);

test('an interrupted eviction continues at the next open, also over damaged rows', async () => {
  const store = createMemoryStore();
  const first = openOn(store, { isConfirmed: () => true });
  const docs = first.db.collection('c');
  for (let part = 0; part < 3; part++)
    await docs.putMany(Array.from({ length: 900 }, (_, n) => [`${part}-${n}`, {}] as const));
  store.damage(C, '2-5' as DocumentKey);
  const evicting = first.db.evict('c');
  evicting.catch(() => {});
  await first.db.replica.flush();
  const crashed = store.crash();
  const again = openOn(crashed, { seed: 2 });
  assert.ok(again.db.replica.evictions.isPending(C));
  assert.ok(again.db.collections()[0]!.documents > 0);
  await turns(20);
  assert.deepEqual(again.db.replica.evictions.pending(), []);
  assert.equal(rowsOf(again), 0);
  assert.deepEqual(again.db.replica.collection(C).fingerprint, { count: 0, lanes: [0, 0, 0, 0] });
  await again.db.close();
});

test('a signal ends the waiting for an eviction, which goes on', async () => {
  const { db } = openOn(createMemoryStore(), { isConfirmed: () => true });
  const docs = db.collection('c');
  for (let part = 0; part < 3; part++)
    await docs.putMany(Array.from({ length: 900 }, (_, n) => [`${part}-${n}`, {}] as const));
  const stop = new AbortController();
  const waiting = [db.evict('c', { signal: stop.signal }), db.widen('c', { signal: stop.signal })];
  stop.abort(new Error('enough'));
  for (const each of waiting) await assert.rejects(each, { message: 'enough' });
  assert.ok(db.replica.evictions.isPending(C));
  for (const method of ['narrow', 'widen', 'evict'] as const)
    await assert.rejects(db[method]('other', { signal: stop.signal }), { message: 'enough' }, method);
  await db.evict('c');
  assert.equal(db.collections().find(({ name }) => name === 'c')!.documents, 0);
  await db.close();
});

test('a second evict joins the first one, and widen waits for it', async () => {
  const { db } = openOn(createMemoryStore(), { isConfirmed: () => true });
  const docs = db.collection('c');
  for (let part = 0; part < 3; part++)
    await docs.putMany(Array.from({ length: 900 }, (_, n) => [`${part}-${n}`, {}] as const));
  const both = [db.evict('c'), db.evict('c')];
  const { id } = db.replica;
  await db.widen('c');
  await Promise.all(both);
  assert.equal(db.replica.id, id);
  assert.deepEqual(await collect(docs.keys()), []);
  await docs.put('a', {});
  await db.close();
});

test('close during an eviction ends it cleanly', async () => {
  const store = createMemoryStore();
  const { db } = openOn(store, { isConfirmed: () => true });
  const docs = db.collection('c');
  for (let part = 0; part < 3; part++)
    await docs.putMany(Array.from({ length: 900 }, (_, n) => [`${part}-${n}`, {}] as const));
  const evicting = db.evict('c');
  await db.close();
  await evicting;
  const again = openOn(store.reopen(), { seed: 2 });
  await turns(20);
  assert.equal(rowsOf(again), 0);
});

test('sessions must end after a failed sync', async () => {
  const store = createMemoryStore();
  const voided: string[] = [];
  const { db } = openOn(store, { onSessionsVoid: (why) => voided.push(why) });
  store.failFlushes(1);
  await assert.rejects(db.collection('c').put('a', {}), { reason: 'IO_FAILED' });
  assert.deepEqual(voided, ['restored']);
});
