/**
 * Goal: writes that read first lose nothing that was written on this node, and fail with a clear error otherwise. Method: many
 * concurrent ones on one document, on every store, with remote versions in between; then hostile arguments.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import { counterValue } from '../core/merge/index.ts';
import { applyRemote, collect, openTestDatabase, type TestDatabase, testOnStores, turn } from './test-database.ts';

interface Item {
  name: string;
  stock?: number;
  places?: { [name: string]: number };
  tags?: string[];
}

testOnStores('a patch changes the members it names, removes those that are null, and leaves the rest', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const items = opened.db.collection<Item>('items');
  await items.put('a', { name: 'nut', stock: 1, places: { x: 1, y: 2 }, tags: ['s'] });
  const after = await items.update('a', { stock: 2, places: { x: null as never, z: 3 }, tags: ['t', 'u'] });
  assert.deepEqual(after, { name: 'nut', stock: 2, places: { y: 2, z: 3 }, tags: ['t', 'u'] });
  assert.deepEqual(await items.get('a'), after);
  assert.deepEqual(await items.update('a', { stock: null, places: null }), { name: 'nut', tags: ['t', 'u'] });
  assert.deepEqual(await items.update('a', {}), { name: 'nut', tags: ['t', 'u'] });
});

testOnStores('none of many concurrent updates and increments is lost', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const items = opened.db.collection<Item>('items');
  await items.put('a', { name: '', stock: 0 });
  await Promise.all(
    Array.from({ length: 150 }, (_, i) => {
      if (i % 3 === 0) return items.increment('a', 'stock');
      if (i % 3 === 1) return items.update('a', (item) => ({ ...item, stock: item.stock! + 1 }));
      return items.update('a', { [`seen${i}`]: true } as object);
    }),
  );
  const { stock, ...rest } = (await items.get('a'))!;
  assert.equal(stock, 100);
  assert.equal(Object.keys(rest).length, 51);
});

test('concurrent updates of different documents share a commit', async () => {
  await using opened = await openTestDatabase();
  const items = opened.db.collection<Item>('items');
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  await items.putMany(keys.map((key) => [key, { name: key }] as const));
  let commits = 0;
  opened.db.replica.onCommit(() => commits++);
  await Promise.all(keys.map((key) => items.update(key, { stock: 1 })));
  assert.equal(commits, 1);
  await Promise.all(keys.map((key) => items.increment(key, 'stock')));
  assert.equal(commits, 2);
  assert.equal(await items.count({ stock: 2 }), 50);
});

test('an update during which the document changes is repeated on the changed document', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const items = db.collection<Item>('items');
  await items.put('a', { name: 'nut', stock: 1 });
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) => {
        await turn();
        return { value: value as Item };
      },
    },
  };
  const slow = db.collection('items', { schema });
  const updating = slow.update('a', ({ stock = 0, ...item }) => ({ ...item, stock: stock + 1 }));
  await items.put('a', { name: 'bolt', stock: 10 });
  assert.deepEqual(await updating, { name: 'bolt', stock: 11 });
});

test('update, increment and each document of putMany respect ifVersion', async () => {
  await using opened = await openTestDatabase();
  const items = opened.db.collection<Item>('items');
  await items.put('a', { name: 'a', stock: 1 });
  const { version } = (await items.getVersioned('a'))!;
  await items.update('a', { stock: 2 }, { ifVersion: version });
  const stale = { ifVersion: version };
  await assert.rejects(items.update('a', { stock: 3 }, stale), { reason: 'CONCURRENCY_CONFLICT' });
  await assert.rejects(items.increment('a', 'stock', 1, stale), { reason: 'CONCURRENCY_CONFLICT' });
  const both = (ifVersion: string) =>
    items.putMany([
      ['b', { name: 'b' }, { ifVersion: null }],
      ['a', { name: 'c' }, { ifVersion }],
    ]);
  await assert.rejects(both(version), { reason: 'CONCURRENCY_CONFLICT' });
  assert.equal(await items.count(), 1);
  await both((await items.getVersioned('a'))!.version);
  assert.deepEqual(await items.find(), [{ name: 'c' }, { name: 'b' }]);
});

test('add makes keys that sort by time, also within one millisecond', async () => {
  await using opened = await openTestDatabase();
  const items = opened.db.collection<Item>('items');
  const keys: string[] = [];
  for (let i = 0; i < 50; i++) {
    if (i === 25) opened.clock.advance(3);
    keys.push(await items.add({ name: `${i}` }));
  }
  assert.deepEqual(await collect(items.keys()), keys);
  assert.deepEqual(
    (await items.find()).map(({ name }) => Number(name)),
    Array.from({ length: 50 }, (_, i) => i),
  );
});

test('with merge, concurrent increments on two nodes add up, starting from the plain number; with lww they do not', async () => {
  for (const resolver of ['merge', 'lww'] as const) {
    await using one = await openTestDatabase(undefined, { seed: 1 });
    await using two = await openTestDatabase(undefined, { seed: 2 });
    const nodes = [one, two];
    for (const { db } of nodes) {
      applyRemote(db, 'items', 'a', '{"name":"nut","stock":5}');
      const items = db.collection<Item>('items', { resolver });
      assert.equal(await items.increment('a', 'stock', 2), 7);
      assert.equal(await items.increment('a', 'stock', -1), 6);
      assert.equal(await items.increment('a', 'places.x'), 1);
    }
    exchange(one, two);
    for (const { db } of nodes) {
      const { stock, places } = (await db.collection('items').get('a')) as { stock: object; places: { x: object } };
      const [sum, x] =
        resolver === 'merge' ? [counterValue(stock as never), counterValue(places.x as never)] : [stock, places.x];
      assert.deepEqual([sum, x], resolver === 'merge' ? [7, 2] : [6, 1]);
    }
    const next = await two.db.collection<Item>('items').increment('a', 'stock');
    assert.equal(next, resolver === 'merge' ? 8 : 7);
  }
});

/** Gives each database what the other wrote. */
function exchange(one: TestDatabase, two: TestDatabase): void {
  const place = { collection: 'items' as never, key: 'a' as never };
  const [ofOne, ofTwo] = [one, two].map(({ db }) => db.replica.get(place.collection, place.key)!.versions);
  two.db.replica.applyRemote(
    ofOne!.map((version) => ({ ...version, ...place })),
    [],
  );
  one.db.replica.applyRemote(
    ofTwo!.map((version) => ({ ...version, ...place })),
    [],
  );
}

test('a change that is not possible fails with its own error, and the document stays', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, documentBytesMax: 200 } });
  const items = opened.db.collection<Item>('items');
  await items.put('a', { name: 'nut', tags: ['x'] });
  await assert.rejects(items.update('b', { stock: 1 }), { reason: 'DOCUMENT_NOT_FOUND' });
  await assert.rejects(
    items.update('b', () => ({ name: '' })),
    { reason: 'DOCUMENT_NOT_FOUND' },
  );
  await assert.rejects(items.increment('b', 'stock'), { reason: 'DOCUMENT_NOT_FOUND' });
  await assert.rejects(items.update('', {}), { reason: 'INVALID_NAME' });
  await assert.rejects(items.update('a', { name: 'x'.repeat(300) }), { reason: 'DOCUMENT_TOO_LARGE' });
  await assert.rejects(
    items.update('a', () => undefined as never),
    { reason: 'INVALID_DOCUMENT' },
  );
  await assert.rejects(items.update('a', { stock: Number.NaN }), { reason: 'INVALID_DOCUMENT' });
  const failure = new Error('mine');
  const throwing = (): never => {
    throw failure;
  };
  await assert.rejects(items.update('a', throwing), (error) => error === failure);
  for (const [path, by] of [
    ['name', 1],
    ['name.x', 1],
    ['tags', 1],
    ['tags.7', 1],
    ['tags.x', 1],
    ['tags.-1', 1],
    ['tags.00', 1],
    ['tags.', 1],
  ] as const)
    await assert.rejects(items.increment('a', path as 'stock', by), TypeError);
  await assert.rejects(items.increment('a', 'stock', Number.NaN), RangeError);
  await assert.rejects(items.increment('a', 'stock', '1' as never), RangeError);
  const stop = AbortSignal.abort(new Error('enough'));
  await assert.rejects(items.update('a', {}, { signal: stop }), /enough/);
  await assert.rejects(items.add({ name: '' }, { signal: stop }), /enough/);
  assert.deepEqual(await items.find(), [{ name: 'nut', tags: ['x'] }]);
  await opened.db.close();
  for (const write of [() => items.update('a', {}), () => items.add({ name: '' }), () => items.increment('a', 'stock')])
    await assert.rejects(write, { reason: 'DATABASE_CLOSED' });
});

test('names such as __proto__ are ordinary members for patches and increments', async () => {
  await using opened = await openTestDatabase();
  const odd = opened.db.collection('odd');
  await odd.put('a', JSON.parse('{"__proto__":{"x":1},"constructor":2}'));
  await odd.update('a', JSON.parse('{"__proto__":{"y":2},"toString":3}'));
  await odd.increment('a', '__proto__.x');
  await odd.increment('a', 'valueOf');
  const stored = opened.db.replica.get('odd' as never, 'a' as never)!.value;
  assert.equal(stored, '{"__proto__":{"x":2,"y":2},"constructor":2,"toString":3,"valueOf":1}');
});
