/**
 * Goal: indexes, pages, groups and fluent queries do what docs/guide/queries.md says, on every store.
 * Method: the same tests on the memory store and on SQLite; invalid arguments.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import type { Collection } from '../api.ts';
import { openTestDatabase, sqliteDisk, testOnStores, turn } from '../test-database.ts';

interface User {
  name: string;
  age?: number;
  city?: string;
  tags?: string[];
  orders?: { price: number }[];
}

const USERS: [string, User][] = [
  ['u1', { name: 'Ann', age: 31, city: 'Rome', tags: ['gold', 'new'], orders: [{ price: 5 }, { price: 50 }] }],
  ['u2', { name: 'Bob', age: 17, city: 'Oslo', tags: ['new'] }],
  ['u3', { name: 'Cem', age: 44, city: 'Rome' }],
  ['u4', { name: 'Dan', city: 'Oslo', orders: [{ price: 9 }] }],
  ['u5', { name: 'Eva', age: 31, city: 'Bern', tags: [] }],
];

const keysOf = (entries: readonly (readonly [string, unknown])[]): string => entries.map(([key]) => key).join(' ');

testOnStores('a collection gets the indexes of its options, and queries use them', async (disk) => {
  const opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users', {
    indexes: ['age', ['city', 'age'], 'tags[]', { on: 'name', fullText: true }],
  });
  await users.putMany(USERS);
  while ((await users.indexes()).filter(({ state }) => state === 'ready').length < 4) await turn();
  const isIndexed = opened.db.replica.store.supports.indexes;
  const plan = await users.explain({ city: 'Rome', age: { $gte: 18 } }, { sort: { age: -1 } });
  assert.equal(plan.index, isIndexed ? 'city,age' : null);
  assert.equal(plan.sort, isIndexed ? 'index' : 'memory');
  assert.equal(keysOf(await users.findEntries({ city: 'Rome', age: { $gte: 18 } }, { sort: { age: -1 } })), 'u3 u1');
  assert.equal(keysOf(await users.findEntries({ 'tags[]': 'new' })), 'u1 u2');
  assert.equal(keysOf(await users.findEntries({ 'orders[].price': { $lt: 10 } })), 'u1 u4');
  assert.equal(keysOf(await users.findEntries({ name: { $text: 'EV*' } })), 'u5');
  await opened.db.close();
  await using again = await openTestDatabase(disk);
  assert.equal((await again.db.collection('users').indexes()).length, 4);
});

testOnStores('count without a filter includes every earlier write, also those of its own transaction', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users');
  const other = opened.db.collection<User>('other');
  const writing = [
    users.putMany(USERS),
    users.delete('u2'),
    users.put('u1', { name: 'Ada' }),
    other.add({ name: 'x' }),
  ];
  assert.equal(await users.count(), 4, 'with writes that are not committed yet');
  await Promise.all(writing);
  await opened.db.transaction(async (tx) => {
    await tx.collection<User>('users').add({ name: 'Fay' });
    await tx.collection<User>('users').delete('u3');
    await tx.collection<User>('users').delete('u4');
    assert.equal(await tx.collection('users').count({}), 3);
  });
  assert.equal(await users.count({}), 3);
  assert.equal(await opened.db.collection('none').count(), 0);
});

testOnStores('a query above filterStepsMax is refused, unless an index narrows it', async (disk) => {
  await using opened = await openTestDatabase(disk, { limits: { ...LIMITS, filterStepsMax: 60_000 } });
  const users = opened.db.collection<User>('users', { indexes: ['age'] });
  await users.putMany(Array.from({ length: 100 }, (_, i) => [`k${i}`, { name: `n${i}`, age: i }] as const));
  await users.ensureIndex('age');
  const starts = (count: number) => ({
    $or: Array.from({ length: count }, (_, i) => ({ name: { $startsWith: `x${i}` } })),
  });
  assert.equal(await users.count(starts(600)), 0);
  const refused = {
    reason: 'INVALID_FILTER',
    message: /about 601 conditions in each of 100 documents.*FilterStepsMax/,
  };
  await assert.rejects(users.find(starts(601)), refused);
  await assert.rejects(users.count(starts(601)), refused);
  await assert.rejects(users.live(starts(601))[Symbol.asyncIterator]().next(), refused);
  const isIndexed = opened.db.replica.store.supports.indexes;
  if (isIndexed) assert.equal(await users.count({ age: 5, ...starts(601) }), 0);
  assert.equal(await users.count({ $or: Array.from({ length: 9999 }, (_, i) => ({ age: i })) }), 100);
  assert.equal(await users.count({ age: { $in: Array.from({ length: 10_000 }, (_, i) => i) } }), 100);
});

testOnStores(
  'ensureIndex resolves when the index is built and reports progress; dropIndex removes it',
  async (disk) => {
    await using opened = await openTestDatabase(disk);
    const users = opened.db.collection<User>('users');
    await users.putMany(Array.from({ length: 900 }, (_, i) => [`k${i}`, { name: `n${i}`, age: i % 90 }] as const));
    const reported: number[] = [];
    const info = await users.ensureIndex('age', { onProgress: (progress) => reported.push(progress) });
    assert.deepEqual(info, { name: 'age', on: ['age'], state: 'ready', progress: 1 });
    assert.deepEqual(
      [reported.at(-1), reported.every((progress, i) => i === 0 || progress >= reported[i - 1]!)],
      [1, true],
    );
    assert.deepEqual(await users.ensureIndex('age'), info);
    assert.equal(await users.count({ age: 7 }), 10);
    assert.equal(await users.dropIndex('age'), true);
    assert.equal(await users.dropIndex('age'), false);
    assert.deepEqual(await users.indexes(), []);
    assert.equal(await users.count({ age: 7 }), 10);
    await assert.rejects(users.ensureIndex([]), (error) => isEntglDbError(error, 'INVALID_INDEX'));
    await assert.rejects(users.ensureIndex('name', { signal: AbortSignal.abort(new Error('no')) }), /no/);
    assert.throws(() => opened.db.collection('users', { indexes: [{ on: [] }] }), /names no fields/);
  },
);

testOnStores('pages neither skip nor repeat a document, also when documents are deleted in between', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users');
  await users.putMany(USERS);
  const read = async (options: object): Promise<string[]> => {
    const pages: string[] = [];
    let after: string | undefined;
    do {
      const page = await users.findPage({}, { ...options, limit: 2, ...(after !== undefined && { after }) });
      pages.push(keysOf(page.entries));
      after = page.next ?? undefined;
    } while (after !== undefined);
    return pages;
  };
  assert.deepEqual(await read({}), ['u1 u2', 'u3 u4', 'u5']);
  for (const isIndexed of [false, true]) {
    if (isIndexed) await users.ensureIndex('age');
    assert.deepEqual(await read({ sort: { age: 1 } }), ['u4 u2', 'u1 u5', 'u3']);
    assert.deepEqual(await read({ sort: { age: -1 } }), ['u3 u1', 'u5 u2', 'u4']);
  }
  const first = await users.findPage({}, { sort: { age: 1 }, limit: 3 });
  await users.delete('u1');
  const second = await users.findPage({}, { sort: { age: 1 }, limit: 3, after: first.next! });
  assert.equal(keysOf(second.entries), 'u5 u3');
  assert.equal(second.next, null);
  assert.deepEqual(await users.findPage({ name: 'nobody' }), { entries: [], next: null });
  const isInvalid = (error: unknown): boolean => isEntglDbError(error, 'INVALID_FILTER');
  await assert.rejects(users.findPage({}, { after: 'x' }), isInvalid);
  await assert.rejects(users.findPage({}, { after: first.next!, sort: { name: 1 } }), isInvalid);
});

test('pages leave out documents that do not fit the schema', async () => {
  await using opened = await openTestDatabase();
  const plain = opened.db.collection<User>('users');
  await plain.putMany(USERS);
  const adults = opened.db.collection('users', { schema: adultSchema });
  const first = await adults.findPage({}, { limit: 2 });
  assert.equal(keysOf(first.entries), 'u1 u3');
  const second = await adults.findPage({}, { limit: 2, after: first.next! });
  assert.deepEqual([keysOf(second.entries), second.next], ['u5', null]);
});

const adultSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) =>
      (value as User).age !== undefined && (value as User).age! >= 18
        ? { value: value as User }
        : { issues: [{ message: 'too young' }] },
  },
};

testOnStores('distinct returns each value once, and groupBy computes its aggregates', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users');
  await users.putMany(USERS);
  assert.deepEqual(await users.distinct('city'), ['Bern', 'Oslo', 'Rome']);
  assert.deepEqual(await users.distinct('tags'), ['gold', 'new']);
  assert.deepEqual(await users.distinct('age', { city: 'Rome' }), [31, 44]);
  assert.deepEqual(
    await users.groupBy('city', {
      total: { sum: 'age' },
      mean: { avg: 'age' },
      oldest: { max: 'age' },
      first: { min: 'name' },
    }),
    [
      { by: ['Bern'], count: 1, values: { total: 31, mean: 31, oldest: 31, first: 'Eva' } },
      { by: ['Oslo'], count: 2, values: { total: 17, mean: 17, oldest: 17, first: 'Bob' } },
      { by: ['Rome'], count: 2, values: { total: 75, mean: 37.5, oldest: 44, first: 'Ann' } },
    ],
  );
  assert.deepEqual(await users.groupBy(['city', 'age'], {}, { city: 'Oslo' }), [
    { by: ['Oslo', null], count: 1, values: {} },
    { by: ['Oslo', 17], count: 1, values: {} },
  ]);
  assert.deepEqual(await users.groupBy([]), [{ by: [], count: 5, values: {} }]);
  const large = opened.db.collection('large');
  for (const [i, n] of [1.5e308, 1.7e308, 1.6e308].entries()) await large.put(`k${i}`, { n, m: i === 2 ? -n : n });
  const [sums] = await large.groupBy([], { mean: { avg: 'n' }, sum: { sum: 'm' } });
  assert.deepEqual(sums!.values, { mean: 1.6e308, sum: 1.6e308 }, 'although the sum is beyond a number for a while');
  assert.deepEqual(await users.groupBy('city', { mean: { avg: 'name' } }, { city: 'Bern' }), [
    { by: ['Bern'], count: 1, values: { mean: null } },
  ]);
  await assert.rejects(users.groupBy('city', { x: { median: 'age' } as never }), TypeError);
});

test('the number of groups is bounded, and groupBy reads all documents of a large collection', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, groupsMax: 3 } });
  const numbers = opened.db.collection<{ n: number }>('numbers');
  for (let from = 0; from < 1300; from += 650) {
    await numbers.putMany(Array.from({ length: 650 }, (_, i) => [`k${from + i}`, { n: (from + i) % 3 }] as const));
  }
  assert.deepEqual(
    (await numbers.groupBy('n')).map(({ count }) => count),
    [434, 433, 433],
  );
  await numbers.put('more', { n: 9 });
  const isTooLarge = (error: unknown): boolean => isEntglDbError(error, 'RESULT_TOO_LARGE');
  await assert.rejects(numbers.groupBy('n'), isTooLarge);
  await assert.rejects(numbers.distinct('n'), isTooLarge);
});

testOnStores('a fluent query finds what its filter and options find', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users: Collection<User> = opened.db.collection<User>('users');
  await users.putMany(USERS);
  const grown = users.where('age').gte(18).lt(40);
  assert.deepEqual(grown.toFilter(), { $and: [{ age: { $gte: 18 } }, { age: { $lt: 40 } }] });
  assert.equal(keysOf(await grown.sort('-name').entries()), 'u5 u1');
  assert.equal(keysOf(await grown.where('city').eq('Rome').entries()), 'u1');
  assert.equal(await grown.count(), 2);
  assert.equal((await grown.sort('name').skip(1).limit(1).toArray())[0]?.name, 'Eva');
  assert.equal((await users.where('name').regex(/^c/i).first())?.name, 'Cem');
  assert.equal(await users.where('age').exists(false).where('tags').exists().first(), undefined);
  assert.equal(keysOf(await users.where('tags').contains('gold').entries()), 'u1');
  assert.equal(
    keysOf(
      await users
        .query()
        .and({ $or: [{ age: 17 }, { city: 'Bern' }] })
        .entries(),
    ),
    'u2 u5',
  );
  const page = await users.query().sort('city', '-age').limit(2).page();
  assert.equal(keysOf(page.entries), 'u5 u2');
  assert.equal(keysOf((await users.query().sort('city', '-age').after(page.next!).page()).entries), 'u4 u3 u1');
  assert.deepEqual(await users.where('name').eq('Ann').fields(['name', 'orders.1.price']), [
    ['u1', { name: 'Ann', orders: { 1: { price: 50 } } }],
  ]);
  assert.equal((await users.where('name').startsWith('A').explain()).filtered, true);
  assert.throws(() => (users.query() as unknown as { eq(value: number): unknown }).eq(1), /where\(\)/);
});

test('ensureIndex reports a damaged document, and the index is finished after that is repaired', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-queries-'));
  try {
    const path = join(folder, 'test.db');
    const first = await openTestDatabase(sqliteDisk(path));
    await first.db.collection<User>('users').putMany(manyUsers());
    await first.db.close();
    const raw = new DatabaseSync(path);
    raw.exec("UPDATE doc SET value = replace(value, 'name', 'nome') WHERE key = 'k3'");
    raw.close();
    const damaged: string[] = [];
    await using opened = await openTestDatabase(sqliteDisk(path), { onDamage: (_, key) => damaged.push(key) });
    const users = opened.db.collection<User>('users');
    await assert.rejects(users.ensureIndex('age'), (error) => isEntglDbError(error, 'DOCUMENT_CORRUPT'));
    assert.deepEqual(damaged, ['k3']);
    const { store } = opened.db.replica;
    const key = parseDocumentKey('k3');
    store.commit({
      removed: [{ collection: parseCollectionName('users'), key, pos: 9999, why: 'damaged', deadSince: null }],
    });
    opened.clock.advance(60_000);
    while ((await users.indexes())[0]?.state !== 'ready') await turn();
    assert.equal(await users.count({ age: 3 }), 15);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('building an index waits while a collection is filled, for a minute at most, unless ensureIndex is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-filling-'));
  try {
    await using opened = await openTestDatabase(sqliteDisk(join(folder, 'test.db')));
    const users = opened.db.collection<User>('users', { indexes: ['age'] });
    const settle = async (): Promise<string | undefined> => {
      for (let i = 0; i < 50; i++) await turn();
      return (await users.indexes())[0]?.state;
    };
    assert.equal(await settle(), 'ready');
    const fill = (part: string) => users.putMany(manyUsers().map(([key, user]) => [`${part} ${key}`, user] as const));
    await fill('a');
    assert.equal(await settle(), 'building');
    assert.equal(await users.count({ age: 3 }), 16, 'it is only not answered by the index');
    opened.clock.advance(299);
    await fill('b');
    opened.clock.advance(299);
    assert.equal(await settle(), 'building', 'more may come');
    opened.clock.advance(1);
    assert.equal(await settle(), 'ready');
    assert.equal((await users.explain({ age: 3 })).index, 'age');

    const others = opened.db.collection<User>('others', { indexes: ['age'] });
    const state = async () => (await others.indexes())[0]?.state;
    while ((await state()) !== 'ready') await turn();
    for (let passed = 0; passed <= 60_000; passed += 250) {
      await others.putMany(manyUsers().slice(0, 256));
      opened.clock.advance(250);
    }
    await settle();
    assert.equal(await state(), 'ready');

    const asked = opened.db.collection<User>('asked', { indexes: ['age'] });
    while ((await asked.indexes())[0]?.state !== 'ready') await turn();
    await asked.putMany(manyUsers());
    await asked.ensureIndex('age');
    assert.equal((await asked.explain({ age: 3 })).index, 'age');
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** As many as fit into one transaction. */
function manyUsers(): [string, User][] {
  return Array.from({ length: 1000 }, (_, i) => [`k${i}`, { name: `n${i}`, age: i % 64 }]);
}

testOnStores('a document with too many items or words for an index is refused, and others are kept', async (disk) => {
  await using opened = await openTestDatabase(disk, { limits: { ...LIMITS, indexEntriesMax: 5 } });
  const many = { tags: [1, 2, 3, 4, 5, 6], text: 'a b c d e f g' };
  const docs = opened.db.collection('docs', { indexes: ['tags[]', { on: 'text', fullText: true }] });
  await opened.db.collection('unindexed').put('k', many);
  await docs.put('k', { tags: [1, 2, 3, 4, 5, 5, 5], text: 'a b a b a b' });
  const isRefused = (error: unknown): boolean =>
    isEntglDbError(error, 'DOCUMENT_TOO_LARGE') && /different (?:items|words) for the index/.test(error.message);
  await assert.rejects(docs.put('k', { tags: many.tags }), isRefused);
  await assert.rejects(docs.update('k', { text: many.text }), isRefused);
  await assert.rejects(
    opened.db.transaction(async (tx) => {
      await tx.collection('docs').put('other', many);
    }),
    isRefused,
  );
  assert.equal(await docs.count(), 1);
  assert.equal(await docs.count({ 'tags[]': 5 }), 1);
});
