/**
 * Goal: programs of different versions share a collection: an old document reads in the newest shape, a newer one passes
 * through an old program unchanged, and filters apply to the newest shape. Method: one database, opened by programs of two
 * versions in turn, and documents of other nodes applied as a sync session would.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { LIMITS } from '../../core/config/index.ts';
import type { Collection } from '../api.ts';
import type { CollectionOptions } from '../schema/index.ts';
import { applyRemote, collect, openTestDatabase, type TestDatabase, testOnStores } from '../test-database.ts';
import type { Migrations } from './index.ts';

const migrations: Migrations = {
  1: ({ name, ...rest }) => {
    const [first, last = ''] = String(name).split(' ');
    return { ...rest, first, last };
  },
  2: (person) => ({ ...person, active: true }),
};
const schema = z.object({ first: z.string(), last: z.string(), active: z.boolean(), age: z.number().optional() });
const newest = { schema, migrations } satisfies CollectionOptions;

interface Old {
  name: string;
  age?: number;
}

async function withOldDocuments(opened: TestDatabase): Promise<void> {
  await opened.db.collection<Old>('people').putMany([
    ['a', { name: 'Ada King', age: 36 }],
    ['b', { name: 'Bob Hill', age: 20 }],
  ]);
}

testOnStores(
  'older documents are read, filtered and sorted in the newest shape, and reading does not rewrite them',
  async (disk) => {
    await using opened = await openTestDatabase(disk);
    const { db } = opened;
    await withOldDocuments(opened);
    const people = db.collection('people', newest);
    const posBefore = db.replica.pos;
    await people.put('c', { first: 'Cid', last: 'Hill', active: false, age: 30 });
    assert.deepEqual(await people.get('a'), { first: 'Ada', last: 'King', active: true, age: 36 });
    assert.deepEqual(
      (await people.find({ last: 'Hill' }, { sort: { age: -1 } })).map(({ first }) => first),
      ['Cid', 'Bob'],
    );
    assert.deepEqual(
      (await people.find({}, { sort: { first: -1 }, skip: 1, limit: 1 })).map(({ first }) => first),
      ['Bob'],
    );
    assert.equal(await people.count({ active: true }), 2);
    assert.equal(await people.count(), 3);
    assert.deepEqual(
      (await collect(people.entries())).map(([, { first }]) => first),
      ['Ada', 'Bob', 'Cid'],
    );
    await db.transaction(async (tx) => {
      const inside = tx.collection(people);
      await inside.put('d', { first: 'Dan', last: 'Hill', active: true });
      assert.equal(await inside.count({ last: 'Hill' }), 3);
      assert.equal((await inside.find({ active: true })).length, 3);
    });
    assert.equal(db.replica.pos, posBefore + 2, 'reading writes nothing');
    const stored = JSON.parse(db.replica.get('people' as never, 'c' as never)!.value!);
    assert.deepEqual(Object.entries(stored)[0], ['$v', 2]);
  },
);

testOnStores('an update rewrites a document in the newest version, and migrate rewrites all others', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const { db } = opened;
  await withOldDocuments(opened);
  applyRemote(db, 'people', 'x', '{"name":5,"age":"old"}');
  const people = db.collection('people', newest);
  await people.update('a', { age: 37 });
  const stored = (key: string): unknown => JSON.parse(db.replica.get('people' as never, key as never)!.value!);
  assert.deepEqual(stored('a'), { $v: 2, first: 'Ada', last: 'King', active: true, age: 37 });
  assert.deepEqual(stored('b'), { name: 'Bob Hill', age: 20 });
  const seen: number[] = [];
  const result = await people.migrate({ onProgress: ({ documents }) => seen.push(documents) });
  assert.deepEqual(result, { documents: 3, migrated: 1, invalid: 1 });
  assert.deepEqual(seen, [3]);
  assert.deepEqual(stored('b'), { $v: 2, first: 'Bob', last: 'Hill', active: true, age: 20 });
  assert.deepEqual(
    (await collect(people.invalid())).map(({ key }) => key),
    ['x'],
  );
  assert.deepEqual(await people.migrate(), { documents: 3, migrated: 0, invalid: 1 });
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await assert.rejects(people.migrate({ signal: stop.signal }), /enough/);
});

test('an older program leaves the members it does not know in a newer document', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const future = { $v: 7, first: ['Ada'], last: null, mood: { good: true } };
  applyRemote(db, 'people', 'n', JSON.stringify(future));
  const people = db.collection('people', newest);
  const { $v: _, ...shown } = future;
  assert.deepEqual(await people.get('n'), shown, 'read as it is');
  assert.deepEqual(await collect(people.invalid()), []);
  assert.equal((await people.migrate()).migrated, 0);
  await people.update('n', { active: false });
  await people.update('n', (person) => ({ ...person, age: 1 }));
  const stored = JSON.parse(db.replica.get('people' as never, 'n' as never)!.value!);
  assert.deepEqual(stored, { ...future, active: false, age: 1 });
  assert.equal((await people.find({ active: false })).length, 1);
});

test('two nodes that migrate the same document agree, and no conflict is listed', async () => {
  await using one = await openTestDatabase(undefined, { seed: 1 });
  await using two = await openTestDatabase(undefined, { seed: 2 });
  const old = '{"name":"Ada King"}';
  for (const { db } of [one, two]) {
    applyRemote(db, 'people', 'a', old);
    await db.collection('people', newest).migrate();
  }
  const versionsOf = ({ db }: TestDatabase) => db.replica.get('people' as never, 'a' as never)!.versions;
  const place = { collection: 'people' as never, key: 'a' as never };
  one.db.replica.applyRemote(
    versionsOf(two).map((version) => ({ ...version, ...place })),
    [],
  );
  assert.equal(versionsOf(one).length, 2);
  assert.deepEqual(await one.db.collection('people', newest).get('a'), { first: 'Ada', last: 'King', active: true });
  assert.deepEqual(await one.db.conflicts(), []);
});

test('a handle without options reads and writes the stored form of any version', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await withOldDocuments(opened);
  const people = db.collection('people', newest);
  const plain = db.collection('people');
  await people.put('c', { first: 'Cid', last: 'Hill', active: true });
  assert.deepEqual(await plain.get('a'), { name: 'Ada King', age: 36 });
  assert.deepEqual(await plain.get('c'), { $v: 2, first: 'Cid', last: 'Hill', active: true });
  assert.equal((await plain.find({ name: 'Ada King' })).length, 1, 'filters look at what is stored');
  await plain.put('a', { ...(await plain.require('a')), age: 1 });
  await plain.update('b', { age: 2 });
  await plain.update('c', (stored) => ({ ...stored, active: false }));
  await assert.rejects(plain.put('d', { $v: 2, first: 'Dan' }), { reason: 'DOCUMENT_INVALID' });
  await plain.put('n', { $v: 9, anything: 1 });
  assert.deepEqual(await people.find({ active: true }), [
    { first: 'Ada', last: 'King', active: true, age: 1 },
    { first: 'Bob', last: 'Hill', active: true, age: 2 },
  ]);
  assert.deepEqual(await plain.get('a'), { $v: 2, first: 'Ada', last: 'King', active: true, age: 1 });
  assert.deepEqual(await plain.get('n'), { $v: 9, anything: 1 });
});

test('a migration that fails makes only that document invalid', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  applyRemote(db, 'n', 'bad', '{"n":"x"}', 1);
  applyRemote(db, 'n', 'good', '{"n":1}', 2);
  const numbers = db.collection<{ n: number }>('n', {
    migrations: {
      1: ({ n }) => {
        if (typeof n !== 'number') throw new Error('n is no number');
        return { n: n * 10 };
      },
    },
  });
  assert.deepEqual(await numbers.find(), [{ n: 10 }]);
  await assert.rejects(numbers.get('bad'), /migration from version 0 failed: n is no number/);
  assert.equal((await collect(numbers.invalid())).length, 1);
  await assert.rejects(numbers.update('bad', { n: 2 }), { reason: 'DOCUMENT_INVALID' });
  await numbers.put('bad', { n: 2 });
  assert.deepEqual(await numbers.find({ n: { $lt: 11 } }), [{ n: 2 }, { n: 10 }]);
});

test('the version counts towards the size of a document, and is written once', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, documentBytesMax: 100 } });
  const versioned = opened.db.collection('n', { migrations: { 1: (document) => document } });
  const stored = (key: string): unknown => opened.db.replica.get('n' as never, key as never)?.value;
  await versioned.put('empty', {});
  await versioned.put('own', { a: 1, $v: 7 });
  await versioned.put('fits', { text: 'x'.repeat(80) });
  await assert.rejects(versioned.put('large', { text: 'x'.repeat(85) }), { reason: 'DOCUMENT_TOO_LARGE' });
  assert.deepEqual([stored('empty'), stored('own')], ['{"$v":1}', '{"$v":1,"a":1}']);
  assert.equal(String(stored('fits')).length, 98);
  assert.deepEqual(await versioned.get('empty'), {});
});

test('missing, surplus and malformed migrations are refused', async () => {
  await using opened = await openTestDatabase();
  const step = (document: object): object => document;
  for (const options of [
    { migrations: { 2: step } },
    { version: 1, migrations: { 1: step, 2: step } },
    { version: 1 },
    { version: -1 },
    { version: 1.5, migrations: { 1: step } },
    { migrations: { 1: 'step' } },
    { migrations: { '1.5': step } },
  ])
    assert.throws(() => opened.db.collection('people', options as never), { reason: 'OPTION_INVALID' });
});

test('a query finds the same before and after all documents are migrated', async () => {
  const person = fc.record({
    key: fc.nat(12).map((n) => `k${n}`),
    version: fc.integer({ min: 0, max: 2 }),
    first: fc.constantFrom('Ada', 'Bob', 'Cid'),
    last: fc.constantFrom('Hill', 'King'),
    age: fc.nat(5),
  });
  const property = fc.asyncProperty(
    fc.array(person, { maxLength: 15 }),
    fc.nat(3),
    fc.integer({ min: 1, max: 4 }),
    async (persons, skip, limit) => {
      await using opened = await openTestDatabase();
      const { db } = opened;
      const shapes = persons.map(({ version, first, last, age }) => {
        if (version === 0) return { name: `${first} ${last}`, age };
        return { $v: version, first, last, age, ...(version === 2 ? { active: age > 2 } : {}) };
      });
      for (const [i, { key }] of persons.entries()) applyRemote(db, 'people', key, JSON.stringify(shapes[i]), i + 1);
      const people = db.collection('people', newest);
      const ask = async (): Promise<unknown[]> => [
        await people.findEntries({ last: 'Hill' }, { sort: { age: -1, first: 1 }, skip, limit }),
        await people.findEntries({ active: true, age: { $gte: 2 } }),
        await people.count({ $or: [{ first: 'Ada' }, { active: false }] }),
        await inPages(people, limit),
        await people.distinct('first', { active: true }),
        await people.groupBy('last', {}, { age: { $gt: 0 } }),
      ];
      const before = await ask();
      await people.migrate();
      assert.deepEqual(await ask(), before);
    },
  );
  await fc.assert(property, { numRuns: 60 * Number(process.env.ENTGLDB_TEST_SCALE ?? 1) });
});

type Person = z.infer<typeof schema>;

async function inPages(people: Collection<Person>, limit: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const options = { sort: { age: 1, last: -1 }, limit } as const;
    const page = await people.findPage({ active: true }, after === undefined ? options : { ...options, after });
    found.push(...page.entries);
    after = page.next;
  }
  return found;
}
