/**
 * Goal: the memory store fulfils the contract of the Store port, and a crash loses exactly what no flush covered.
 * Method: the conformance suite; directed cases for its virtual disk.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { runStoreConformance, sampleDocument } from '../../testing/index.ts';
import { createMemoryStore, type MemoryStore, memoryStoreFromSnapshot } from './memory-store.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const C = parseCollectionName('c');
const K = parseDocumentKey('k');
const document = (pos: number) => sampleDocument({ key: 'k', pos });

runStoreConformance({
  test,
  scale: SCALE,
  factory: async (limits) => {
    const store = createMemoryStore(limits === undefined ? {} : { limits });
    return {
      store,
      failCommit: (failing, batch) => {
        (failing as MemoryStore).failCommits(1);
        failing.commit(batch);
      },
      dispose: () => store.close(),
    };
  },
});

test('a crash undoes every commit since the last completed flush', async () => {
  const store = createMemoryStore();
  store.commit({ documents: [document(1)] });
  await store.flush();
  store.commit({ documents: [document(2)] });
  store.commit({ removed: [{ collection: C, key: K, pos: 3, why: 'dropped', deadSince: null }] });
  const next = store.crash();
  assert.deepEqual(next.get(C, K), document(1));
  assert.deepEqual(next.gone(0, 9), []);
  assert.throws(() => store.commit({ documents: [document(4)] }), { reason: 'DATABASE_CLOSED' });
});

test('a crash may keep some of the commits that no flush covered, oldest first', async () => {
  const store = createMemoryStore();
  store.commit({ documents: [document(1)] });
  await store.flush();
  store.commit({ documents: [document(2)] });
  store.commit({ documents: [document(3)] });
  const next = store.crash(1);
  assert.deepEqual(next.get(C, K), document(2));
  assert.deepEqual(next.crash().get(C, K), document(2), 'what was found on the disk is durable');
});

test('a flush covers exactly what was committed before its sync began', async () => {
  const syncs: (() => void)[] = [];
  const store = createMemoryStore({ sync: () => new Promise((resolve) => syncs.push(resolve)) });
  store.commit({ documents: [document(1)] });
  const first = store.flush();
  store.commit({ documents: [document(2)] });
  const second = store.flush();
  syncs[0]!();
  await first;
  assert.deepEqual(store.crash().get(C, K), document(1));
  let isSettled = false;
  second.finally(() => {
    isSettled = true;
  });
  syncs[1]?.();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false, 'a flush of the life before never settles after the crash');
});

test('a failed flush rejects all waiting callers, undoes their commits, and requires a new load', async () => {
  const store = createMemoryStore({ sync: () => Promise.reject(new Error('the disk is gone')) });
  store.commit({ documents: [document(1)] });
  const both = await Promise.allSettled([store.flush(), store.flush()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(store.get(C, K), undefined);
  assert.throws(() => store.commit({}), { reason: 'IO_FAILED' });
  store.load();
  store.commit({ documents: [document(2)] });
});

test('a snapshot of the disk is independent of the store', async () => {
  const store = createMemoryStore();
  store.commit({ documents: [document(1)] });
  const image = store.snapshot();
  store.commit({ documents: [document(2)] });
  const copy = memoryStoreFromSnapshot(image);
  assert.equal(copy.identity.reason, 'marker-missing');
  assert.deepEqual(copy.get(C, K), document(1));
  copy.commit({ documents: [document(3)] });
  assert.deepEqual(store.get(C, K), document(2));
  assert.deepEqual(memoryStoreFromSnapshot(image).get(C, K), document(1));
});

test('reads name a damaged row until it is written again', () => {
  const store = createMemoryStore();
  store.commit({ documents: [document(1), sampleDocument({ key: 'other', pos: 2 })] });
  store.damage(C, K);
  const damaged = { reason: 'DOCUMENT_CORRUPT', details: { collection: C, key: K } };
  assert.throws(() => store.get(C, K), damaged);
  assert.throws(() => store.changes(0, 9), damaged);
  assert.equal(store.documents(C, null, 9, new Set([K])).length, 1);
  store.commit({ documents: [document(3)] });
  assert.deepEqual(store.get(C, K), document(3));
});

test('a row that the disk lost stays lost after a crash', async () => {
  const store = createMemoryStore();
  store.commit({ documents: [document(1)] });
  store.damage(C, K, 'missing');
  assert.equal(store.crash().get(C, K), undefined);
});

test('a full disk refuses commits until there is room again', () => {
  const store = createMemoryStore();
  store.failCommits(Number.POSITIVE_INFINITY);
  assert.throws(() => store.commit({ documents: [document(1)] }), { reason: 'DISK_FULL' });
  assert.throws(() => store.commit({ documents: [document(1)] }), { reason: 'DISK_FULL' });
  store.failCommits(0);
  store.commit({ documents: [document(1)] });
  assert.deepEqual(store.get(C, K), document(1));
});

test('the revision rises with whatever can change what a call returns, and not when a full disk refuses a commit again', async () => {
  let isGood = true;
  const store = createMemoryStore({ sync: () => (isGood ? Promise.resolve() : Promise.reject(new Error('gone'))) });
  let last = store.revision;
  const rises = (): boolean => {
    const before = last;
    last = store.revision;
    return last > before;
  };
  store.commit({ documents: [document(1)] });
  assert.ok(rises(), 'a commit');
  await store.flush();
  store.commit({ documents: [document(2)] });
  assert.ok(rises(), 'another one');
  isGood = false;
  await assert.rejects(store.flush());
  assert.ok(rises(), 'commits were lost');
  store.load();
  assert.ok(rises(), 'loaded');
  store.damage(C, K);
  assert.ok(rises(), 'a row was damaged');
  store.failCommits(2);
  assert.ok(rises(), 'a fault was set');
  assert.throws(() => store.commit({}), { reason: 'DISK_FULL' });
  assert.ok(rises(), 'a fault counted down');
  store.failCommits(Number.POSITIVE_INFINITY);
  assert.ok(rises(), 'the disk is full');
  assert.throws(() => store.commit({}), { reason: 'DISK_FULL' });
  assert.throws(() => store.get(C, K), { reason: 'DOCUMENT_CORRUPT' });
  assert.ok(!rises(), 'nothing has changed');
});
