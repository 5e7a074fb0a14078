/**
 * Goal: the document cache keeps its bound in bytes, its statistics are right, and a caller can never change a cached
 * document through an object that it passed in or got back.
 * Method: single cases; random operations against a model; the measured memory of a full cache.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSeededRandom } from '../../testing/index.ts';
import { openTestDatabase } from '../test-database.ts';
import { DocumentCache } from './document-cache.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const MB = 1024 * 1024;

test('documents can be set, read, deleted and cleared, and the statistics count it', () => {
  const cache = new DocumentCache({ maxSizeMb: 50 });
  assert.equal(cache.get('users', 'user1'), undefined);
  cache.set('users', 'user1', { name: 'Alice' });
  assert.deepEqual(cache.get('users', 'user1'), { name: 'Alice' });
  cache.set('users', 'user1', { name: 'Bob' });
  assert.deepEqual(cache.get<{ name: string }>('users', 'user1')?.name, 'Bob');
  const { sizeBytes, ...statistics } = cache.getStatistics();
  assert.deepEqual(statistics, { hits: 2, misses: 1, size: 1, evictions: 0, hitRate: 2 / 3 });
  assert.ok(sizeBytes > 0 && sizeBytes < 1000);
  assert.equal(cache.delete('users', 'user1'), true);
  assert.equal(cache.delete('users', 'user1'), false);
  cache.set('users', 'user2', {});
  cache.clear();
  assert.equal(cache.getStatistics().size, 0);
  assert.equal(cache.getStatistics().sizeBytes, 0);
});

test('an empty cache has a hit rate of 0', () => {
  assert.equal(new DocumentCache().getStatistics().hitRate, 0);
});

test('changing an object passed to set or returned by get does not change the cached document', () => {
  const cache = new DocumentCache();
  const alice = { tags: ['a'] };
  cache.set('users', 'user1', alice);
  alice.tags.push('b');
  const read = cache.get<typeof alice>('users', 'user1')!;
  read.tags.push('c');
  assert.deepEqual(cache.get('users', 'user1'), { tags: ['a'] });
});

test('however often a document is read, each read gives an equal object of its own', () => {
  const documents = [
    '{}',
    '{"b":1,"a":0.1,"2":[[],{},[{"x":null}]],"1":{"deep":{"er":[1.5,"é\u{1F600}",true]}}}',
    '{"__proto__":{"a":{"__proto__":[1]}},"constructor":{"prototype":{}}}',
    JSON.stringify(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, { i }]))),
    JSON.stringify({ text: 'x'.repeat(10_000), list: [{}] }),
  ];
  const cache = new DocumentCache();
  for (const [i, text] of documents.entries()) {
    cache.set('c', `k${i}`, JSON.parse(text));
    for (let n = 0; n < 6; n++) {
      const read = cache.get('c', `k${i}`)!;
      assert.deepStrictEqual(read, JSON.parse(text));
      assert.equal(JSON.stringify(read), JSON.stringify(JSON.parse(text)), 'members in the same order');
      spoil(read);
    }
  }
});

test('what a program adds to the prototype of all objects is in no document', (t) => {
  Object.defineProperty(Object.prototype, 'added', { value: { by: 'it' }, enumerable: true, configurable: true });
  t.after(() => Reflect.deleteProperty(Object.prototype, 'added'));
  const cache = new DocumentCache();
  cache.set('c', 'k', { a: {} });
  for (let n = 0; n < 4; n++) assert.deepEqual(Object.keys(cache.get('c', 'k')!), ['a']);
});

/** Changes every object and array inside. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value)) spoil(member);
  if (Array.isArray(value)) value.push('spoilt');
  else Object.assign(value, { spoilt: true });
}

test('different collections and keys never share an entry', () => {
  const cache = new DocumentCache();
  const names = ['a', 'b', 'ab', 'a:', ':b', '1:a', '', '\0', '__proto__', 'r1:a', 'd1:a', 'constructor'];
  for (const collection of names) for (const key of names) cache.set(collection, key, { of: [collection, key] });
  for (const collection of names)
    for (const key of names) assert.deepEqual(cache.get(collection, key), { of: [collection, key] });
});

test('the size never exceeds the bound, the least recently used document is evicted first, and evictions count', () => {
  const cache = new DocumentCache({ maxSizeMb: 0.01 });
  for (let n = 0; n < 100; n++) {
    cache.set('c', `k${n}`, { text: 'x'.repeat(500) });
    cache.get('c', 'k0');
    assert.ok(cache.getStatistics().sizeBytes <= 0.01 * MB);
  }
  const { size, evictions } = cache.getStatistics();
  assert.equal(size + evictions, 100);
  assert.ok(evictions > 50);
  assert.ok(cache.get('c', 'k0') !== undefined, 'used all the time');
  assert.equal(cache.get('c', 'k1'), undefined);
});

test('a document above the bound is not kept, and the older state of it is dropped', () => {
  const cache = new DocumentCache({ maxSizeMb: 0.01 });
  cache.set('c', 'k', { n: 1 });
  cache.set('c', 'k', { text: 'x'.repeat(MB) });
  assert.equal(cache.get('c', 'k'), undefined);
  assert.equal(cache.getStatistics().size, 0);
});

test('resize takes effect immediately, keeps the most recently used documents, and counts the evictions', () => {
  const cache = new DocumentCache({ maxSizeMb: 1 });
  for (let n = 0; n < 20; n++) cache.set('c', `k${n}`, { text: 'x'.repeat(1000) });
  cache.get('c', 'k0');
  cache.resize(0.005);
  const { size, sizeBytes, evictions } = cache.getStatistics();
  assert.ok(sizeBytes <= 0.005 * MB);
  assert.equal(size + evictions, 20);
  assert.ok(size >= 3);
  assert.ok(cache.get('c', 'k0') !== undefined);
  assert.ok(cache.get('c', 'k19') !== undefined);
  assert.equal(cache.get('c', 'k1'), undefined);
  cache.resize(1);
  for (let n = 0; n < 20; n++) cache.set('c', `k${n}`, { text: 'x'.repeat(1000) });
  assert.equal(cache.getStatistics().size, 20);
});

test('an invalid size and an invalid document are refused', () => {
  for (const maxSizeMb of [0, -1, Number.NaN, Infinity, '50'])
    assert.throws(() => new DocumentCache({ maxSizeMb: maxSizeMb as never }), RangeError, String(maxSizeMb));
  const cache = new DocumentCache({ maxSizeMb: 1 });
  assert.throws(() => cache.resize(0), RangeError);
  for (const document of [null, undefined, 7, [], new Date(0), { n: Number.NaN }])
    assert.throws(() => cache.set('c', 'k', document as never), { reason: 'INVALID_DOCUMENT' });
  assert.equal(cache.getStatistics().size, 0);
});

test('get never returns anything but the last document set', () => {
  for (let seed = 1; seed <= 5 * SCALE; seed++) {
    const random = createSeededRandom(seed);
    const cache = new DocumentCache({ maxSizeMb: 0.005 });
    const last = new Map<string, number>();
    for (let step = 0; step < 2000; step++) {
      const key = `k${random.integer(0, 30)}`;
      const what = random.integer(0, 99);
      if (what < 40) {
        cache.set('c', key, { step, text: 'x'.repeat(random.integer(0, 400)) });
        last.set(key, step);
      } else if (what < 50) {
        cache.delete('c', key);
        last.delete(key);
      } else if (what === 50) cache.resize(random.integer(1, 10) / 1000);
      else {
        const read = cache.get<{ step: number }>('c', key);
        if (read !== undefined) assert.equal(read.step, last.get(key), `seed ${seed}`);
      }
    }
  }
});

const SIZE_MB = 20;

/** Bytes in use, in V8's heap and outside it, after everything that is garbage was collected. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Fills a cache until it evicts, and checks what that takes. A function, so that nothing of the cache before is still held. */
function assertKeepsBound(what: string, fill: (cache: DocumentCache, n: number) => void): void {
  const before = usedMemory();
  const cache = new DocumentCache({ maxSizeMb: SIZE_MB });
  for (let n = 0; cache.getStatistics().evictions === 0; n++) fill(cache, n);
  const megabytes = (usedMemory() - before) / MB;
  assert.ok(megabytes <= SIZE_MB + 1, `${what}: ${megabytes} MB`);
  assert.ok(megabytes >= SIZE_MB / 4, `${what}: only ${megabytes} MB, so that nothing was measured`);
  assert.ok(cache.getStatistics().size > 0);
}

test('a full cache uses no more memory than its size', () => {
  for (const text of ['x', 'é', '\u{1F600}', '\u4E2D'])
    assertKeepsBound(text, (cache, n) => cache.set('users', `user${n}`, { text: `${text}`.repeat(100) + n }));
});

test('documents that are read again and again do not make a full cache larger', () => {
  for (const member of [1.5, '\u4E2D'.repeat(20), {}, [[{ a: 1.5 }]]])
    assertKeepsBound(JSON.stringify(member), (cache, n) => {
      cache.set('users', `user${n}`, { list: Array.from({ length: 50 }, () => member), n });
      for (let read = 0; read < 4; read++) cache.get('users', `user${n}`);
    });
});

test('a database caches its reads, and reads show every local and remote change immediately', async () => {
  const { applyRemote } = await import('../test-database.ts');
  const cache = new DocumentCache({ maxSizeMb: 1 });
  await using opened = await openTestDatabase(undefined, { cache });
  const users = opened.db.collection<{ n: number }>('users');
  await users.put('a', { n: 1 });
  await users.get('a');
  const { hits } = cache.getStatistics();
  assert.deepEqual(await users.get('a'), { n: 1 });
  assert.equal(cache.getStatistics().hits, hits + 1);
  assert.deepEqual(cache.get('users', 'a'), { n: 1 });

  cache.set('users', 'a', { n: 666 });
  assert.deepEqual(await users.get('a'), { n: 1 }, 'the database never reads what a program sets');

  for (let n = 0; n < 4; n++) await users.get('a');
  await users.put('a', { n: 2 });
  assert.deepEqual([await users.get('a'), cache.get('users', 'a')], [{ n: 2 }, { n: 2 }]);
  applyRemote(opened.db, 'users', 'b', '{"n":3}', 1);
  assert.deepEqual(await users.get('b'), { n: 3 });
  applyRemote(opened.db, 'users', 'b', null, 2);
  assert.equal((await users.get('b'))?.n, 3, 'a delete that had not seen the write');
  await users.delete('a');
  assert.deepEqual([await users.get('a'), cache.get('users', 'a')], [undefined, undefined]);
});

test('writes count neither as hits nor as misses', async () => {
  const cache = new DocumentCache();
  await using opened = await openTestDatabase(undefined, { cache });
  const users = opened.db.collection('users');
  for (let n = 0; n < 10; n++) await users.put(`k${n % 3}`, { n });
  const { hits, misses } = cache.getStatistics();
  assert.deepEqual([hits, misses], [0, 0]);
});
