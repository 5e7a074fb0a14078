/**
 * Goal: collections do what the public interface says on every store, and answer each misuse with its own error.
 * Method: the same tests on the memory store and on SQLite; then a list of hostile arguments for each method.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import { isEntglDbError } from '../core/errors/index.ts';
import type { Collection } from './api.ts';
import { collect, openTestDatabase, testOnStores, turn } from './test-database.ts';

interface User {
  name: string;
  age: number;
  tags?: string[];
}

testOnStores('a document that is put can be read, counted and found, and is gone after delete', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users');
  await users.put('user1', { name: 'Alice', age: 31 });
  await users.putMany([
    ['user2', { name: 'Bob', age: 17 }],
    ['user3', { name: 'Carol', age: 44 }],
  ]);
  assert.deepEqual(await users.get('user1'), { name: 'Alice', age: 31 });
  assert.deepEqual(await users.require('user2'), { name: 'Bob', age: 17 });
  assert.equal(await users.get('user4'), undefined);
  assert.equal(await users.count(), 3);
  assert.equal(await users.count({ age: { $gte: 18 } }), 2);
  assert.deepEqual(
    (await users.find({ age: { $gte: 18 } }, { sort: { age: -1 }, limit: 20 })).map(({ name }) => name),
    ['Carol', 'Alice'],
  );
  assert.deepEqual(await users.findEntries({ name: 'Bob' }), [['user2', { name: 'Bob', age: 17 }]]);
  assert.equal(await users.delete('user1'), true);
  assert.equal(await users.delete('user1'), false);
  assert.equal(await users.get('user1'), undefined);
  assert.deepEqual(await collect(users.keys()), ['user2', 'user3']);
  assert.deepEqual(
    (await collect(users.entries())).map(([key, { age }]) => [key, age]),
    [
      ['user2', 17],
      ['user3', 44],
    ],
  );
  assert.equal(await users.deleteMany(['user2', 'user2', 'user3', 'nobody']), 2);
  assert.equal(await users.count(), 0);
});

testOnStores('acknowledged and accepted writes are there after close and open', async (disk) => {
  const first = await openTestDatabase(disk);
  const users = first.db.collection<User>('users');
  await users.put('user1', { name: 'Alice', age: 31 });
  void users.put('user2', { name: 'Bob', age: 17 });
  await first.db.close();
  await using again = await openTestDatabase(disk, { seed: 2 });
  assert.deepEqual(await collect(again.db.collection<User>('users').keys()), ['user1', 'user2']);
});

testOnStores(
  'a version token lets one of two writers through, and names the current version to the other',
  async (disk) => {
    await using opened = await openTestDatabase(disk);
    const users = opened.db.collection<User>('users');
    await users.put('user1', { name: 'Alice', age: 31 }, { ifVersion: null });
    const { version } = (await users.getVersioned('user1'))!;
    await users.put('user1', { name: 'Alice', age: 32 }, { ifVersion: version });
    const current = (await users.getVersioned('user1'))!.version;
    await assert.rejects(users.put('user1', { name: 'Alice', age: 33 }, { ifVersion: version }), {
      name: 'ConcurrencyError',
      reason: 'CONCURRENCY_CONFLICT',
      collection: 'users',
      key: 'user1',
      current,
    });
    await assert.rejects(users.delete('user1', { ifVersion: version }), { reason: 'CONCURRENCY_CONFLICT' });
    assert.equal(await users.delete('user1', { ifVersion: current }), true);
    await assert.rejects(users.put('user1', { name: 'A', age: 1 }, { ifVersion: current }), { current: undefined });
  },
);

testOnStores('a caller can change neither what is stored nor what is cached', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users');
  const alice: User = { name: 'Alice', age: 31, tags: ['a'] };
  await users.put('user1', alice);
  alice.tags!.push('b');
  for (let round = 0; round < 3; round++) {
    const read = (await users.get('user1'))!;
    assert.deepEqual(read, { name: 'Alice', age: 31, tags: ['a'] });
    read.tags!.push('c');
    read.age = 0;
    const [found] = await users.find();
    found!.tags!.push('d');
  }
});

testOnStores('putMany and deleteMany happen as a whole or not at all', async (disk) => {
  await using opened = await openTestDatabase(disk, {
    limits: { ...LIMITS, transactionDocumentsMax: 3, transactionBytesMax: 100 },
  });
  const users = opened.db.collection('users');
  const commits: number[] = [];
  opened.db.replica.onCommit(({ changed }) => commits.push(changed.length));
  await users.putMany([
    ['a', { n: 1 }],
    ['b', { n: 1 }],
    ['a', { n: 2 }],
  ]);
  assert.deepEqual(commits, [2], 'a document written twice keeps the last');
  assert.deepEqual(await users.get('a'), { n: 2 });
  const tooMany = ['p', 'q', 'r', 's'].map((key) => [key, {}] as const);
  await assert.rejects(users.putMany(tooMany), { reason: 'TRANSACTION_TOO_LARGE' });
  await assert.rejects(users.deleteMany(tooMany.map(([key]) => key)), { reason: 'TRANSACTION_TOO_LARGE' });
  const tooLong = ['p', 'q'].map((key) => [key, { text: 'x'.repeat(60) }] as const);
  await assert.rejects(users.putMany(tooLong), { reason: 'TRANSACTION_TOO_LARGE' });
  await assert.rejects(
    users.putMany([
      ['p', {}],
      ['q', { n: Number.NaN }],
    ]),
    { reason: 'INVALID_DOCUMENT' },
  );
  assert.equal(await users.count(), 2);
  await users.putMany([]);
  assert.equal(await users.deleteMany([]), 0);
});

test('putMany refuses an endless iterable, writes nothing for one that throws, and allows one that writes itself', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users');
  function* endless(): Generator<[string, object]> {
    for (let n = 0; ; n++) yield [`k${n}`, {}];
  }
  await assert.rejects(users.putMany(endless() as never), { reason: 'TRANSACTION_TOO_LARGE' });
  function* throwing(): Generator<[string, object]> {
    yield ['a', {}];
    throw new Error('out of paper');
  }
  await assert.rejects(users.putMany(throwing() as never), /out of paper/);
  function* reentrant(): Generator<[string, object]> {
    void users.put('inner', {});
    yield ['outer', {}];
  }
  await users.putMany(reentrant() as never);
  assert.deepEqual(await collect(users.keys()), ['inner', 'outer']);
});

testOnStores('names such as __proto__ are ordinary keys, fields and collections', async (disk) => {
  await using opened = await openTestDatabase(disk);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '0']) {
    const collection = opened.db.collection(name);
    assert.equal(await collection.get(name), undefined);
    const value = JSON.parse(`{${JSON.stringify(name)}:{"polluted":true}}`);
    await collection.put(name, value);
    const read = (await collection.get(name))!;
    assert.deepEqual(Object.keys(read), [name]);
    assert.equal(JSON.stringify(read), JSON.stringify(value));
    assert.equal((await collection.find({ [`${name}.polluted`]: true })).length, 1);
    assert.deepEqual(await collect(collection.keys()), [name]);
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(opened.db.collections().length, 6);
});

testOnStores('keys come in byte order, whatever their characters', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const keys = ['a', 'B', 'é', '\u{1F600}', '\uFFFD', '\0', '\0b', ' ', 'aa', 'a'.repeat(1024)];
  const collection = opened.db.collection('mixed');
  await Promise.all(keys.map((key) => collection.put(key, { key })));
  const ordered = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(await collect(collection.keys()), ordered);
  for (const key of keys) assert.deepEqual(await collection.get(key), { key });
});

testOnStores('an iteration continues while the collection changes, and gives each key at most once', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const numbers = opened.db.collection<{ n: number }>('numbers');
  const keyOf = (n: number): string => String(n).padStart(4, '0');
  await numbers.putMany(Array.from({ length: 350 }, (_, n) => [keyOf(n), { n }] as const));
  const seen: string[] = [];
  for await (const key of numbers.keys()) {
    seen.push(key);
    if (seen.length === 10) {
      await numbers.delete(keyOf(345));
      await numbers.put(keyOf(0), { n: -1 });
      await numbers.put(keyOf(999), { n: 999 });
    }
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(!seen.includes(keyOf(345)));
  assert.equal(seen.at(-1), keyOf(999));
  assert.equal(seen.length, 350);
});

const CALLS: Record<string, (users: Collection, key: never, value: never, options?: never) => Promise<unknown>> = {
  put: (users, key, value, options) => users.put(key, value, options),
  get: (users, key, _value, options) => users.get(key, options),
  getVersioned: (users, key, _value, options) => users.getVersioned(key, options),
  require: (users, key, _value, options) => users.require(key, options),
  delete: (users, key, _value, options) => users.delete(key, options),
  putMany: (users, key, value, options) => users.putMany([[key, value]], options),
  deleteMany: (users, key, _value, options) => users.deleteMany([key], options),
  keys: (users, _key, _value, options) => collect(users.keys(options)),
  entries: (users, _key, _value, options) => collect(users.entries(options)),
  count: (users, _key, _value, options) => users.count({}, options),
  find: (users, _key, _value, options) => users.find({}, options),
  findEntries: (users, _key, _value, options) => users.findEntries({}, options),
  watch: (users, _key, _value, options) => users.watch(options)[Symbol.asyncIterator]().next(),
};
const KEYED = ['put', 'get', 'getVersioned', 'require', 'delete', 'putMany', 'deleteMany'];

test('after close every method fails with DATABASE_CLOSED, and close itself may be repeated', async () => {
  const { db } = await openTestDatabase();
  const users = db.collection('users');
  const iterator = users.keys()[Symbol.asyncIterator]();
  await users.put('a', {});
  await iterator.next();
  const closing = db.close();
  for (const [name, call] of Object.entries(CALLS))
    await assert.rejects(call(users, 'a' as never, {} as never), { reason: 'DATABASE_CLOSED' }, name);
  assert.equal(await db.close(), undefined);
  await closing;
  assert.throws(() => db.collection('users'), { reason: 'DATABASE_CLOSED' });
  assert.throws(() => db.collections(), { reason: 'DATABASE_CLOSED' });
  for (const method of ['narrow', 'widen', 'evict'] as const)
    await assert.rejects(db[method]('users'), { reason: 'DATABASE_CLOSED' }, method);
  await assert.rejects(db.flush(), { reason: 'DATABASE_CLOSED' });
});

test('an aborted signal stops every method before it does anything', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users');
  const signal = AbortSignal.abort(new Error('changed my mind'));
  for (const [name, call] of Object.entries(CALLS))
    await assert.rejects(call(users, 'a' as never, {} as never, { signal } as never), /changed my mind/, name);
  await assert.rejects(opened.db.flush({ signal }), /changed my mind/);
  assert.equal(await users.count(), 0);
});

test('an iteration whose signal aborts ends with the reason', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users');
  await users.putMany([
    ['a', {}],
    ['b', {}],
    ['c', {}],
  ]);
  const abort = new AbortController();
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const key of users.keys({ signal: abort.signal })) {
      seen.push(key);
      abort.abort(new Error('enough'));
    }
  }, /enough/);
  assert.deepEqual(seen, ['a']);
});

test('every method with a key refuses invalid keys', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users');
  for (const key of ['', 'x'.repeat(1025), '\ud800', 7, null, undefined, {}, Number.NaN, Symbol.iterator])
    for (const name of KEYED)
      await assert.rejects(CALLS[name]!(users, key as never, {} as never), { reason: 'INVALID_NAME' }, name);
  for (const name of ['', 'x'.repeat(129), 'a\nb', '\ud800', 7, null, undefined])
    assert.throws(() => opened.db.collection(name as never), { reason: 'INVALID_NAME' });
});

test('put and putMany refuse values that are not documents, and write nothing', async () => {
  await using opened = await openTestDatabase(undefined, {
    limits: { ...LIMITS, documentBytesMax: 1000, documentDepthMax: 10 },
  });
  const users = opened.db.collection('users');
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  let deep: object = {};
  for (let n = 0; n < 10; n++) deep = { deep };
  const hostile: [unknown, string][] = [
    ...[undefined, null, 7, 'text', [], new Date(0), new Map(), () => {}].map(
      (value) => [value, 'INVALID_DOCUMENT'] as [unknown, string],
    ),
    ...[Number.NaN, Infinity, 1n, new Date(0), [undefined], Symbol.iterator].map(
      (value) => [{ value }, 'INVALID_DOCUMENT'] as [unknown, string],
    ),
    [cycle, 'INVALID_DOCUMENT'],
    [deep, 'INVALID_DOCUMENT'],
    [{ text: '\ud800' }, 'INVALID_DOCUMENT'],
    [{ text: 'x'.repeat(1001) }, 'DOCUMENT_TOO_LARGE'],
  ];
  for (const [value, reason] of hostile) {
    await assert.rejects(users.put('a', value as never), { code: 'PERSISTENCE_ERROR', reason });
    await assert.rejects(
      users.putMany([
        ['b', {}],
        ['a', value as never],
      ]),
      { code: 'PERSISTENCE_ERROR', reason },
    );
  }
  const throwing = {
    get field(): never {
      throw new Error('not today');
    },
  };
  await assert.rejects(users.put('a', throwing), /not today/);
  assert.equal(await users.count(), 0);
  assert.equal(opened.db.waitingWrites, 0);
});

test('queries refuse invalid filters, sorts, skips and limits', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users');
  const hostile = [
    [{ age: { $near: 1 } }],
    ['text'],
    [{}, { sort: { age: 2 } }],
    [{}, { limit: -1 }],
    [{}, { skip: Number.NaN }],
  ] as unknown as [object, object?][];
  for (const [filter, options] of hostile) {
    await assert.rejects(users.find(filter, options), { reason: 'INVALID_FILTER' });
    await assert.rejects(users.findEntries(filter, options), { reason: 'INVALID_FILTER' });
  }
  await assert.rejects(users.count({ $or: 1 }), { reason: 'INVALID_FILTER' });
});

test('require logs a warning about a missing document; get does not', async () => {
  const lines: [object, string][] = [];
  const warn = (fields: object, message: string): void => void lines.push([fields, message]);
  const logger = { trace() {}, debug() {}, info() {}, warn, error() {}, fatal() {}, child: () => logger };
  await using opened = await openTestDatabase(undefined, { logger });
  const users = opened.db.collection('users');
  await users.get('nobody');
  assert.equal(lines.length, 0);
  await assert.rejects(users.require('nobody'), (error) => isEntglDbError(error, 'DOCUMENT_NOT_FOUND'));
  assert.deepEqual(lines, [[{ collection: 'users', key: 'nobody' }, 'a document that is required does not exist']]);
});

test('a damaged document is never returned: the read fails, and the damage is reported', async () => {
  const { createMemoryStore } = await import('../store/index.ts');
  const store = createMemoryStore();
  const damaged: string[] = [];
  await using opened = await openTestDatabase(undefined, {
    store,
    onDamage: (collection, key, error) =>
      damaged.push(`${collection}/${key}/${isEntglDbError(error, 'DOCUMENT_CORRUPT')}`),
  });
  const users = opened.db.collection('users');
  await users.put('bad', { n: 1 });
  await users.put('good', { n: 1 });
  store.damage('users' as never, 'bad' as never);
  opened.db.cache.clear();
  const reads = [
    users.get('bad'),
    users.getVersioned('bad'),
    users.require('bad'),
    users.find(),
    collect(users.keys()),
    collect(users.entries()),
  ];
  for (const read of reads) await assert.rejects(read, { name: 'DatabaseCorruptionError', reason: 'DOCUMENT_CORRUPT' });
  assert.deepEqual(damaged, Array(reads.length).fill('users/bad/true'));
  assert.deepEqual(await users.get('good'), { n: 1 });
});

test('close finishes accepted writes, and an `await using` block closes the database', async () => {
  const { createMemoryStore } = await import('../store/index.ts');
  const store = createMemoryStore();
  const written: Promise<void>[] = [];
  {
    await using opened = await openTestDatabase(undefined, { store });
    const users = opened.db.collection('users');
    for (let n = 0; n < 2500; n++) written.push(users.put(`k${n}`, { n }));
  }
  await Promise.all(written);
  assert.throws(() => store.load(), { reason: 'DATABASE_CLOSED' });
  assert.equal(store.reopen().documents('users' as never, null, 10_000).length, 2500);
});

test('a close that cannot make the last writes durable rejects, and still releases everything', async () => {
  const { createMemoryStore } = await import('../store/index.ts');
  const store = createMemoryStore();
  const { db } = await openTestDatabase(undefined, { store });
  const write = db.collection('users').put('a', {});
  store.failFlushes(1);
  const closing = db.close();
  await assert.rejects(write, { reason: 'IO_FAILED' });
  await assert.rejects(closing, { reason: 'IO_FAILED' });
  await turn();
  assert.throws(() => store.load(), { reason: 'DATABASE_CLOSED' });
});
